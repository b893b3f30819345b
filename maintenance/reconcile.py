"""Compares the log with the index, and repairs the index from the log."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from core.contract import record_key
from core.index import IndexedTicket
from core.protocols import IndexReader
from core.records import Record
from maintenance.compare import Comparison, Difference, Outcome
from maintenance.fold import Fold, Position, position_of
from maintenance.reindexer import Advance, Reindexer
from maintenance.safety import doubt_about

#: Differences that the latest record of a ticket repairs.
_REPAIRABLE: Final = {"missing", "stale", "resurrected", "buried"}


class TopicReader(Protocol):
    """A topic from which an index can be built."""

    def records(self, start: Mapping[int, int] | None = None) -> Iterator[Record]:
        """The records from `start` (partition to offset) to the end that the topic has when the reader gets there."""
        ...


class LogReader(TopicReader, Protocol):
    """The raw topic, with the progress of its consumer group."""

    def committed(self) -> Mapping[int, int]:
        """Offsets that the group has committed, by partition."""
        ...

    def expired(self) -> int:
        """Number of records before the log's present start."""
        ...

    def compacted(self) -> bool:
        """Whether the broker deletes earlier records of a key."""
        ...

    def dead_lettered(self) -> Iterable[Position]:
        """Positions of records that steps after decode dead-lettered. A second call returns only new ones."""
        ...


def compare(
    fold: Fold, log: LogReader, index: IndexReader, *, watch: Callable[[Iterable[Record]], Iterable[Record]] = iter
) -> Outcome:
    """Read the log into the empty `fold`, then the index, and return the tickets in which they differ.

    Workers may run meanwhile: see `maintenance.compare.Comparison`.

    Args:
        fold: filled with the latest record of each ticket.
        log: the raw topic.
        index: compared with the fold.
        watch: wraps the records of the long first read, to show progress.
    """
    fold.ignore(log.dead_lettered())
    fold.read(watch(log.records()))
    committed = log.committed()
    fold.ignore(log.dead_lettered())  # a committed record is in the index or has a dead letter
    comparison = Comparison(fold)
    comparison.add_indexed(index.tickets())
    fold.read(log.records(fold.next_offsets))
    expired = log.expired()
    doubt = doubt_about(expired=expired, lost=fold.lost, compacted=log.compacted())
    return comparison.outcome(committed, expired=expired, doubt=doubt)


def repair_index(
    differences: Sequence[Difference],
    fold: Fold,
    log: LogReader,
    reindexer: Reindexer,
    *,
    advance: Advance = lambda _n: None,
) -> int:
    """Write the latest record of each ticket that is missing, stale, resurrected or buried. Returns the number written.

    It may run beside workers: the index keeps the highest version.
    """
    wrong = {record_key(d.tenant_id, d.ticket_id): d for d in differences if d.kind in _REPAIRABLE}
    alike = {key for key, d in wrong.items() if d.log == d.index}
    for keys, overwrite in ((wrong.keys() - alike, False), (alike, True)):
        if keys:
            wanted = {fold.tickets[key].position for key in keys}
            reindexer.index_records(_at(wanted, log), advance=advance, overwrite=overwrite)
    # otherwise the index would keep the same version of a ticket whose latest record can't be indexed
    reindexer.remove([_indexed(wrong[key]) for key in sorted(alike & reindexer.rejected_keys)])
    written = reindexer.written
    write_next_latest(fold, log, reindexer)
    return written


def write_next_latest(fold: Fold, log: TopicReader, reindexer: Reindexer) -> None:
    """Write all other records of tickets whose latest one was rejected, so that the highest accepted version stays."""
    keys = frozenset(reindexer.rejected_keys)
    if keys:
        reindexer.index_records(record for record in log.records() if record.key in keys and not fold.is_latest(record))


def delete_surplus(differences: Sequence[Difference], fold: Fold, log: TopicReader, reindexer: Reindexer) -> int:
    """Remove the tickets that are not in the log, each unless it was written meanwhile. Returns their number.

    They leave no tombstone, which would outrank their next event. Events that have arrived since the log was read are
    written again, because a worker may have skipped one just before the removal of its ticket.
    """
    surplus = [_indexed(d) for d in differences if d.kind == "surplus"]
    reindexer.remove(surplus)
    keys = {record_key(ticket.tenant_id, ticket.ticket_id) for ticket in surplus}
    if keys:
        reindexer.index_records(record for record in log.records(fold.next_offsets) if record.key in keys)
    return len(surplus)


def _indexed(difference: Difference) -> IndexedTicket:
    assert difference.index is not None  # noqa: S101 - for mypy: only a missing ticket is not in the index
    return IndexedTicket(difference.tenant_id, difference.ticket_id, difference.index, 0, deleted=False)


def _at(wanted: set[Position], log: LogReader) -> Iterator[Record]:
    """The records at these positions. The log is read from the first of them to the last."""
    start: dict[int, int] = {}
    for partition, offset in wanted:
        start[partition] = min(offset, start.get(partition, offset))
    left = len(wanted)
    for record in log.records(start):
        if position_of(record) in wanted:
            yield record
            left -= 1
            if not left:
                return
