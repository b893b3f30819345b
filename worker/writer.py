"""Batches in, acks out: several in flight, and an outage is waited out, never dead-lettered.

The steps that are left, embedding first among them, run here too: while one batch is in the model another is being
written, and the polling thread reads and cleans the next.

`submit` never blocks: how much may be in flight is bounded by the credits the consumer takes before it reads.
"""

import logging
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from core.failpoints import failpoint
from core.ports import DeadLetters, Index
from core.records import Batch, Rejected, TicketPoints
from core.settings import WriterSettings
from delivery.breaker import DeadLetterBreaker
from delivery.gate import GivenUpError
from worker.crew import Crew
from worker.outages import open_targets
from worker.progress import Progress
from worker.refusals import write_tickets
from worker.steps import record_of
from worker.telemetry import Telemetry

logger: Final = logging.getLogger("ticketstream.writer")

#: How long `close` waits for what is under way: the drain timeout has passed, and the platform's own clock runs.
_CLOSE_S: Final = 3.0


class Writer:
    """Dead letters first, then points, then the ack: a record is acked when all of its effect is durable."""

    def __init__(
        self,
        *,
        finish: Callable[[Batch[Any]], Batch[TicketPoints | Rejected]],
        index: Index,
        dead_letters: DeadLetters,
        ack: Callable[[Any], None],
        settings: WriterSettings,
        telemetry: Telemetry,
        progress: Progress,
        rng: Random,
    ) -> None:
        self._finish = finish
        self._index = index
        self._dead_letters = dead_letters
        self._ack = ack
        self._telemetry = telemetry
        self._progress = progress
        self._to_index, self._to_dead_letters = open_targets(settings, telemetry=telemetry, progress=progress, rng=rng)
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
        self._to_index.gate.close()
        self._to_dead_letters.gate.close()
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

    def _write(self, unfinished: Batch[Any], batch: Batch[TicketPoints | Rejected]) -> None:
        rejected = [item for item in batch.items if isinstance(item, Rejected)]
        seen = self._breaker.saw(len(batch.items), [item.code for item in rejected])
        self._publish(rejected)
        refused = self._write_points(unfinished, batch)
        if refused:
            self._breaker.refused(seen, [item.code for item in refused.values()])
            self._publish(list(refused.values()))
        written = [
            item for place, item in enumerate(batch.items) if not isinstance(item, Rejected) and place not in refused
        ]
        self._telemetry.acked(written, [*rejected, *refused.values()], int(time.time() * 1000))
        self._ack(batch.receipt)

    def _write_points(self, unfinished: Batch[Any], batch: Batch[TicketPoints | Rejected]) -> dict[int, Rejected]:
        """Write what isn't rejected; what the index refuses, by its place in the batch."""
        places, tickets = [], []
        for place, item in enumerate(batch.items):
            if not isinstance(item, Rejected):
                places.append(place)
                tickets.append(item)
        if not tickets:
            return {}
        began = time.perf_counter()
        refused = {}
        for refusal in write_tickets(tickets, self._insist):
            record = record_of(unfinished.items[places[refusal.at]])
            refused[places[refusal.at]] = Rejected(record, "index", "bad_point", str(refusal.error))
        failpoint("after_response")
        self._telemetry.did("write", time.perf_counter() - began, len(tickets))
        return refused

    def _insist(self, tickets: Sequence[TicketPoints]) -> None:
        size = sum(max(1, len(ticket.points)) for ticket in tickets)
        self._to_index.write(lambda: self._index.write(tickets), size=size)

    def _publish(self, rejected: Sequence[Rejected]) -> None:
        if rejected:
            self._to_dead_letters.write(lambda: self._dead_letters.publish(rejected), size=len(rejected))
            failpoint("after_dead_letter_ack")
