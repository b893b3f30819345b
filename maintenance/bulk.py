"""Records through the ordinary steps into an index, outside any group: for repairs and for building an index anew."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from random import Random
from typing import Final, TypeVar

from core.contract import record_key
from core.errors import TransientError
from core.protocols import Index
from core.records import Batch, Item, Record, Rejected, TicketPoints
from core.settings import WriterSettings
from delivery.backoff import Backoff
from stream.sinks import write_tickets
from stream.steps import Step, run_step, with_retries
from stream.telemetry import StreamTelemetry

logger: Final = logging.getLogger("ticketstream.bulk")

T = TypeVar("T")

#: Told how many more records are done.
Advance = Callable[[int], None]


class Bulk:
    """Writes in batches, one after the other. An outage is waited out, as a worker does."""

    def __init__(self, *, steps: Sequence[Step], index: Index, settings: WriterSettings) -> None:
        self._steps = [with_retries(step, partial(self._retry, step.calls)) if step.calls else step for step in steps]
        self._index = index
        self._batch = settings.max_batch_records
        self._telemetry = StreamTelemetry()
        rng = Random()  # noqa: S311 - jitter, not a secret
        self._backoff = Backoff(cap_s=settings.backoff_max_s, rng=rng)
        self.written = 0
        self.rejected = 0
        #: Keys of tickets of which a record was rejected after decode, or refused by the index.
        self.rejected_keys: set[bytes] = set()

    def apply(self, records: Iterable[Record], *, advance: Advance = lambda _count: None) -> int:
        """Write what `records` come to; those that can't be used are counted and left. How many there were."""
        count, left = 0, iter(records)
        while batch := tuple(islice(left, self._batch)):
            done: Batch[Item] = Batch(batch)
            for step in self._steps:
                done = run_step(step, done, self._telemetry)
            self._reject(item for item in done.items if isinstance(item, Rejected))
            self.write([item for item in done.items if isinstance(item, TicketPoints)])
            count += len(batch)
            advance(len(batch))
        return count

    def write(self, tickets: Sequence[TicketPoints]) -> int:
        """Durable on return, but for those that the index refuses, which count as rejected; how many were written.

        Raises:
            FatalError: no waiting mends it.
        """
        refusals = write_tickets(tickets, self._write) if tickets else []
        for refusal in refusals:
            logger.warning("a ticket is left out: %s", refusal.error)
            self.rejected_keys.add(record_key(tickets[refusal.at].tenant_id, tickets[refusal.at].ticket_id))
        self.rejected += len(refusals)
        self.written += len(tickets) - len(refusals)
        return len(tickets) - len(refusals)

    def _reject(self, items: Iterable[Rejected]) -> None:
        for item in items:
            self.rejected += 1
            if item.stage != "decode" and item.record.key is not None:
                self.rejected_keys.add(item.record.key)

    def _write(self, tickets: Sequence[TicketPoints]) -> None:
        self._retry("index", lambda: self._index.write(tickets))

    def _retry(self, dependency: str, call: Callable[[], T]) -> T:
        attempt = 0
        while True:
            try:
                return call()
            except TransientError as error:
                delay_s = self._backoff.delay_s(attempt, error)
                logger.warning("%s: %s; attempt %d, next in %.1f s", dependency, error, attempt + 1, delay_s)
                attempt += 1
                time.sleep(delay_s)
