"""Runs records through the regular steps into an index, outside any consumer group: for repairs and rebuilds."""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from random import Random
from typing import Final

from core.contract import record_key
from core.index import IndexedTicket
from core.protocols import Index
from core.records import Batch, Item, Record, Rejected, TicketPoints
from core.settings import WriterSettings
from maintenance.batches import next_batch
from stream.dependencies import open_dependencies
from stream.progress import Progress
from stream.sinks import INDEX, write_tickets
from stream.steps import Step, run_steps
from stream.telemetry import StreamTelemetry

logger: Final = logging.getLogger("ticketstream.reindexer")

#: Called with the number of records just processed.
Advance = Callable[[int], None]


class Reindexer:
    """Writes one batch after the other. Outages are retried, as in a worker."""

    def __init__(self, *, steps: Sequence[Step], index: Index, settings: WriterSettings) -> None:
        self._steps = steps
        self._index = index
        self._batch = settings.max_batch_records
        self._telemetry = StreamTelemetry()
        self._dependencies = open_dependencies(
            settings,
            sinks=[INDEX],
            lookups=[step.calls for step in steps if step.calls],
            telemetry=self._telemetry,
            progress=Progress(max_stall_s=float("inf")),
            rng=Random(),  # noqa: S311 - jitter, not a secret
        )
        self.written = 0
        self.rejected = 0
        #: Keys of the tickets of which a record was rejected after decode, or refused by the index.
        self.rejected_keys: set[bytes] = set()

    def index_records(
        self, records: Iterable[Record], *, advance: Advance = lambda _count: None, overwrite: bool = False
    ) -> int:
        """Write the tickets of `records`, and count and skip those that can't be used. Returns the number of records.

        With `overwrite`, equal versions are replaced too.

        Raises:
            FatalError: as `write`.
        """
        count, left = 0, iter(records)
        while batch := tuple(next_batch(left, self._batch)):
            unfinished: Batch[Item] = Batch(batch)
            done = run_steps(self._steps, unfinished, telemetry=self._telemetry, dependencies=self._dependencies)
            self._reject(item for item in done.items if isinstance(item, Rejected))
            self.write([item for item in done.items if isinstance(item, TicketPoints)], overwrite=overwrite)
            count += len(batch)
            advance(len(batch))
        return count

    def write(self, tickets: Sequence[TicketPoints], *, overwrite: bool = False) -> int:
        """Write tickets durably, and count as rejected those that the index refuses. Returns the number written.

        Raises:
            FatalError: the index refuses every ticket, or fails in a way that no retry fixes.
        """
        apply = self._index.overwrite if overwrite else self._index.write
        refusals = write_tickets(tickets, partial(self._write_some, apply)) if tickets else []
        for refusal in refusals:
            logger.warning("skipped a ticket that the index refuses: %s", refusal.error)
            self.rejected_keys.add(record_key(tickets[refusal.at].tenant_id, tickets[refusal.at].ticket_id))
        self.rejected += len(refusals)
        self.written += len(tickets) - len(refusals)
        return len(tickets) - len(refusals)

    def remove(self, tickets: Sequence[IndexedTicket]) -> None:
        """Remove tickets from the index without a tombstone, each unless it has a newer version now."""
        if tickets:
            self._dependencies[INDEX.name].call(lambda: self._index.remove(tickets), size=len(tickets))

    def _reject(self, items: Iterable[Rejected]) -> None:
        for item in items:
            self.rejected += 1
            if item.stage != "decode" and item.record.key is not None:
                self.rejected_keys.add(item.record.key)

    def _write_some(self, apply: Callable[[Sequence[TicketPoints]], None], tickets: Sequence[TicketPoints]) -> None:
        size = sum(max(1, ticket.point_count) for ticket in tickets)
        self._dependencies[INDEX.name].call(lambda: apply(tickets), size=size)
