"""Does the index hold what the log says? And if not: the winning records once more, through the ordinary steps."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from core.contract import FINAL_VERSION, record_key
from core.protocols import Index
from core.records import Record, TicketPoints
from maintenance.bulk import Advance, Bulk
from maintenance.compare import Comparison, Difference, Outcome
from maintenance.fold import Fold, Place, place


class TopicReader(Protocol):
    """A topic that says what the index should hold."""

    def records(self, start: Mapping[int, int] | None = None) -> Iterator[Record]:
        """From `start`, by partition, to the end as it is when it is reached."""
        ...


class LogReader(TopicReader, Protocol):
    """The raw topic, and how far the workers are with it."""

    def committed(self) -> Mapping[int, int]:
        """What the group has committed, by partition."""
        ...

    def refused(self) -> Iterable[Place]:
        """Where the records lie that steps after decode have dead-lettered; again: those that have come since."""
        ...


def compare(
    fold: Fold, log: LogReader, index: Index, *, watch: Callable[[Iterable[Record]], Iterable[Record]] = iter
) -> Outcome:
    """Read the log into the empty `fold`, then the index, and say in which tickets they differ.

    Workers may go on meanwhile: see `maintenance.compare.Comparison`.

    Args:
        fold: takes the fold.
        log: the raw topic.
        index: what should be its fold.
        watch: wraps the records of the long first reading, for progress.
    """
    fold.refuse(log.refused())
    fold.read(watch(log.records()))
    committed = log.committed()
    fold.refuse(log.refused())  # before its commit a record is in the index or here
    comparison = Comparison(fold)
    comparison.look(index.tickets())
    fold.read(log.records(fold.positions))
    return comparison.outcome(committed)


def mend(
    differences: Sequence[Difference], fold: Fold, log: LogReader, bulk: Bulk, *, advance: Advance = lambda _n: None
) -> int:
    """Write the winning record of each ticket that is missing, stale or resurrected; how many were written.

    The index keeps the highest version, so a worker that is faster loses nothing by it.
    """
    keys = {record_key(d.tenant_id, d.ticket_id) for d in differences if d.kind in {"missing", "stale", "resurrected"}}
    wanted = {(fold.tickets[key].partition, fold.tickets[key].offset) for key in keys}
    if wanted:
        bulk.apply(_at(wanted, log), advance=advance)
    written = bulk.written
    fall_back(fold, log, bulk)
    return written


def fall_back(fold: Fold, log: TopicReader, bulk: Bulk) -> None:
    """Where the winning record turned out to be of no use, the best of the ticket's others wins: write them all."""
    keys = frozenset(bulk.rejected_keys)
    if keys:
        bulk.apply(record for record in log.records() if record.key in keys and not fold.wins(record))


def bury(differences: Sequence[Difference], bulk: Bulk) -> int:
    """Delete the tickets that the log doesn't know, each with the version after the one it has; how many."""
    surplus = [d for d in differences if d.kind == "surplus" and d.index is not None]
    return bulk.write([TicketPoints(d.tenant_id, d.ticket_id, min(_after(d), FINAL_VERSION), ()) for d in surplus])


def _after(difference: Difference) -> int:
    return (difference.index or 0) + 1


def _at(wanted: set[tuple[int, int]], log: LogReader) -> Iterator[Record]:
    """The records at these places; the log is read from the first of them to the last."""
    start: dict[int, int] = {}
    for partition, offset in wanted:
        start[partition] = min(offset, start.get(partition, offset))
    left = len(wanted)
    for record in log.records(start):
        if place(record) in wanted:
            yield record
            left -= 1
            if not left:
                return
