"""Finishes, writes and acks batches, several at once. Outages are retried and never dead-lettered.

The last steps, such as embedding, run here too: while one batch is in the model another is being written, and the
polling thread reads and cleans the next.

`submit` never blocks: the consumer takes credits before it reads, and they bound the work in flight.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, Generic, TypeVar

from core.failpoints import failpoint
from core.protocols import DeadLetters
from core.records import Batch, EnrichedTicket, Item, Receipt, Rejected, TicketPoints, record_of
from core.settings import WriterSettings
from delivery.breaker import DeadLetterBreaker
from delivery.dependency import Dependency
from delivery.gate import ShutdownError
from stream.pool import ThreadPool
from stream.progress import Progress
from stream.sinks import DEAD_LETTERS, OpenSink, write_tickets
from stream.telemetry import StreamTelemetry

logger: Final = logging.getLogger("ticketstream.writer")

#: Seconds that `close` waits for running batches. It is short, because the drain timeout has passed and the platform
#: will kill.
_CLOSE_S: Final = 3.0

#: The sinks' type of tickets.
W = TypeVar("W", bound=EnrichedTicket | TicketPoints)


class Writer(Generic[W]):
    """Writes dead letters, then each sink in turn, then acks: a record is acked once all of its effects are durable."""

    def __init__(
        self,
        *,
        finish: Callable[[Batch[Item]], Batch[W | Rejected]],
        sinks: Sequence[OpenSink[W]],
        dead_letters: DeadLetters,
        dependencies: Mapping[str, Dependency],
        ack: Callable[[Receipt], None],
        settings: WriterSettings,
        telemetry: StreamTelemetry,
        progress: Progress,
    ) -> None:
        """Describe the writer; its threads start with the first batch.

        Args:
            finish: runs the last steps on a batch, on one of the writer's threads.
            sinks: destinations of the results, in this order.
            dead_letters: gets rejected records.
            dependencies: by name: each sink, the dead letters, and those that `finish` calls. The writer closes their
                gates.
            ack: called with the receipt of each batch once it is durable.
            settings: the number of concurrent batches, and the share of records that may be rejected.
            telemetry: counts and measures.
            progress: records activity.
        """
        self._finish = finish
        self._sinks = tuple(sinks)
        self._dead_letters = dead_letters
        self._ack = ack
        self._telemetry = telemetry
        self._progress = progress
        self._dependencies = dependencies
        self._breaker = DeadLetterBreaker(share=settings.max_rejected_share)
        self._pool = ThreadPool(self._run, threads=settings.max_concurrent_batches, name="writer")
        self._fault: BaseException | None = None
        self._hangs = False

    @property
    def fault(self) -> BaseException | None:
        """The error that stopped the writer, or None. Its batch is not acked."""
        return self._fault

    @property
    def hangs(self) -> bool:
        """Whether `close` gave up on running batches. The resources that they use must stay open."""
        return self._hangs

    def submit(self, batch: Batch[Item]) -> None:
        """Finish and write `batch` as soon as a thread is free, then ack it."""
        self._progress.submitted()
        self._pool.submit(batch)

    def close(self) -> None:
        """Abandon, without an ack, batches that are waiting out an outage. Wait a few seconds for running ones."""
        for dependency in self._dependencies.values():
            dependency.gate.close()
        left = self._pool.close(_CLOSE_S)
        if left:
            self._hangs = True
            logger.warning(
                "%d batch(es) did not finish and are abandoned without an ack; they will be read again", left
            )

    def _run(self, unfinished: Batch[Item]) -> None:
        self._progress.began()
        try:
            batch = self._finish(unfinished)
            failpoint("after_embed")
            self._write(unfinished, batch)
        except ShutdownError:
            logger.info("a batch is abandoned without an ack; it will be read again")
        except BaseException as error:  # noqa: BLE001 - the next poll raises it; here it would only end the thread
            if not self._hangs:  # ignore the error of an abandoned batch
                self._fault = self._fault or error
        finally:
            self._progress.finished()

    def _write(self, unfinished: Batch[Item], batch: Batch[W | Rejected]) -> None:
        rejected = [item for item in batch.items if isinstance(item, Rejected)]
        written = {place: item for place, item in enumerate(batch.items) if not isinstance(item, Rejected)}
        seen = self._breaker.add_batch(len(batch.items), [item.code for item in rejected])
        self._publish(rejected)
        for sink in self._sinks:
            refused = self._write_to(sink, unfinished, written)
            if refused:
                self._breaker.add_refusals(seen, [item.code for item in refused])
                self._publish(refused)
                rejected += refused
        self._telemetry.acked(
            list(written.values()),
            rejected,
            outcome=self._sinks[-1].spec.outcome,
            now_ms=int(time.time() * 1000),
        )
        self._ack(batch.receipt)

    def _write_to(self, sink: OpenSink[W], unfinished: Batch[Item], items: dict[int, W]) -> list[Rejected]:
        """Write `items`, keyed by index in the batch, to `sink`. Remove and return those that it refuses."""
        if not items:
            return []
        places, began, refused = list(items), time.perf_counter(), []
        for refusal in write_tickets(list(items.values()), partial(self._write_some, sink), spec=sink.spec):
            place = places[refusal.at]
            refused.append(sink.spec.dead_letter(record_of(unfinished.items[place]), refusal))
            del items[place]
        failpoint("after_response")
        self._telemetry.ran_step(sink.spec.step, time.perf_counter() - began, len(places))
        return refused

    def _write_some(self, sink: OpenSink[W], tickets: Sequence[W]) -> None:
        size = sum(max(1, ticket.point_count) for ticket in tickets)
        self._dependencies[sink.spec.name].call(lambda: sink.sink.write(tickets), size=size)

    def _publish(self, rejected: Sequence[Rejected]) -> None:
        if rejected:
            self._dependencies[DEAD_LETTERS].call(lambda: self._dead_letters.publish(rejected), size=len(rejected))
            failpoint("after_dead_letter_ack")
