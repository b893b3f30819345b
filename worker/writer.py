"""Batches in, acks out: several in flight, and an outage is waited out, never dead-lettered.

The steps that are left, embedding first among them, run here too: while one batch is in the model another is being
written, and the polling thread reads and cleans the next.

`submit` never blocks: how much may be in flight is bounded by the credits the consumer takes before it reads.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from core.failpoints import failpoint
from core.ports import DeadLetters, Sink
from core.records import Batch, EnrichedTicket, Rejected, TicketPoints
from core.settings import WriterSettings
from delivery.breaker import DeadLetterBreaker
from delivery.gate import GivenUpError
from delivery.target import Target
from worker.crew import Crew
from worker.progress import Progress
from worker.refusals import refusal_of, write_tickets
from worker.steps import record_of
from worker.telemetry import Telemetry

logger: Final = logging.getLogger("ticketstream.writer")

#: How long `close` waits for what is under way: the drain timeout has passed, and the platform's own clock runs.
_CLOSE_S: Final = 3.0
#: The dead letters' name among the targets.
LETTERS: Final = "dead_letters"

#: What a stage writes.
Written = EnrichedTicket | TicketPoints


class Writer:
    """Dead letters first, then each sink in turn, then the ack: a record is acked when all its effect is durable."""

    def __init__(
        self,
        *,
        finish: Callable[[Batch[Any]], Batch[Any]],
        sinks: Mapping[str, Sink[Any]],
        dead_letters: DeadLetters,
        targets: Mapping[str, Target],
        ack: Callable[[Any], None],
        settings: WriterSettings,
        telemetry: Telemetry,
        progress: Progress,
    ) -> None:
        """Begin.

        Args:
            finish: the steps that are left, on one of the writer's threads.
            sinks: where what comes of them goes, in this order, by the name that logs and metrics have.
            dead_letters: where rejected records go.
            targets: what is insisted on, by name: every sink, `LETTERS`, and whatever else `finish` calls; their gates
                are closed with the writer.
            ack: told the receipt of each batch whose effect is durable.
            settings: how much at once, and what share may be rejected.
            telemetry: counts and times.
            progress: told of every sign of life.
        """
        self._finish = finish
        self._sinks = dict(sinks)
        self._dead_letters = dead_letters
        self._ack = ack
        self._telemetry = telemetry
        self._progress = progress
        self._targets = targets
        self._breaker = DeadLetterBreaker(share=settings.max_rejected_share, window=settings.rejected_window)
        self._crew = Crew(self._run, threads=settings.concurrency, name="writer")
        self._fault: BaseException | None = None
        self._hangs = False

    @property
    def fault(self) -> BaseException | None:
        """What no retry could mend. The batch it happened in is not acked."""
        return self._fault

    @property
    def hangs(self) -> bool:
        """Closed with batches still under way: what they use can't be closed."""
        return self._hangs

    def submit(self, batch: Batch[Any]) -> None:
        """Finish and write `batch` as soon as a thread is free, then ack it."""
        self._progress.started()
        self._crew.submit(batch)

    def close(self) -> None:
        """Give up what waits for an outage to end, unacked, and wait a few seconds for what is under way."""
        for target in self._targets.values():
            target.gate.close()
        left = self._crew.close(_CLOSE_S)
        if left:
            self._hangs = True
            logger.warning("%d batch(es) hang and are given up unacked; they will be read again", left)

    def _run(self, unfinished: Batch[Any]) -> None:
        self._progress.began()
        try:
            batch = self._finish(unfinished)
            failpoint("after_embed")
            self._write(unfinished, batch)
        except GivenUpError:
            logger.info("a batch is given up unacked; it will be read again")
        except BaseException as error:  # noqa: BLE001 - a thread's error would vanish; the poll loop raises it
            if not self._hangs:  # given up already: what comes of it later is no fault of this run
                self._fault = self._fault or error
        finally:
            self._progress.finished()

    def _write(self, unfinished: Batch[Any], batch: Batch[Written | Rejected]) -> None:
        rejected = [item for item in batch.items if isinstance(item, Rejected)]
        written = {place: item for place, item in enumerate(batch.items) if not isinstance(item, Rejected)}
        seen = self._breaker.saw(len(batch.items), [item.code for item in rejected])
        self._publish(rejected)
        for name in self._sinks:
            refused = self._write_to(name, unfinished, written)
            if refused:
                self._breaker.refused(seen, [item.code for item in refused])
                self._publish(refused)
                rejected += refused
        self._telemetry.acked(list(written.values()), rejected, int(time.time() * 1000))
        self._ack(batch.receipt)

    def _write_to(self, name: str, unfinished: Batch[Any], tickets: dict[int, Written]) -> list[Rejected]:
        """Write `tickets`, by place in the batch, to the sink `name`; take out of them what it refuses."""
        if not tickets:
            return []
        places, began, refused = list(tickets), time.perf_counter(), []
        for refusal in write_tickets(list(tickets.values()), lambda some: self._insist(name, some), sink=name):
            place = places[refusal.at]
            refused.append(refusal_of(name, record_of(unfinished.items[place]), refusal))
            del tickets[place]
        failpoint("after_response")
        self._telemetry.did("write" if name == "index" else f"write_{name}", time.perf_counter() - began, len(places))
        return refused

    def _insist(self, name: str, tickets: Sequence[Written]) -> None:
        size = sum(max(1, ticket.rows) for ticket in tickets)
        self._targets[name].insist(lambda: self._sinks[name].write(tickets), size=size)

    def _publish(self, rejected: Sequence[Rejected]) -> None:
        if rejected:
            self._targets[LETTERS].insist(lambda: self._dead_letters.publish(rejected), size=len(rejected))
            failpoint("after_dead_letter_ack")
