"""Compares the log with the index, and repairs the index from the log."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from core.contract import FINAL_VERSION, record_key
from core.protocols import IndexReader
from core.records import Record, TicketPoints
from maintenance.compare import Comparison, Difference, Outcome
from maintenance.fold import Fold, Position, position_of
from maintenance.reindexer import Advance, Reindexer


class TopicReader(Protocol):
    """A topic from which an index can be made."""

    def records(self, start: Mapping[int, int] | None = None) -> Iterator[Record]:
        """The records from `start` (partition to offset) to the end that the topic has when the reader gets there."""
        ...


class LogReader(TopicReader, Protocol):
    """The raw topic, with the progress of its consumer group."""

    def committed(self) -> Mapping[int, int]:
        """Offsets that the group has committed, by partition."""
        ...

    def dead_lettered(self) -> Iterable[Position]:
        """Positions of records that steps after decode dead-lettered. A second call returns only those since."""
        ...


def compare(
    fold: Fold, log: LogReader, index: IndexReader, *, watch: Callable[[Iterable[Record]], Iterable[Record]] = iter
) -> Outcome:
    """Read the log into the empty `fold`, then the index, and return in which tickets they differ.

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
    fold.ignore(log.dead_lettered())  # a committed record is in the index or in these
    comparison = Comparison(fold)
    comparison.add_indexed(index.tickets())
    fold.read(log.records(fold.next_offsets))
    return comparison.outcome(committed)


def repair_index(
    differences: Sequence[Difference],
    fold: Fold,
    log: LogReader,
    reindexer: Reindexer,
    *,
    advance: Advance = lambda _n: None,
) -> int:
    """Write the latest record of each ticket that is missing, stale or resurrected. Returns the number written.

    It may run beside workers: the index keeps the highest version.
    """
    keys = {record_key(d.tenant_id, d.ticket_id) for d in differences if d.kind in {"missing", "stale", "resurrected"}}
    wanted = {fold.tickets[key].position for key in keys}
    if wanted:
        reindexer.index_records(_at(wanted, log), advance=advance)
    written = reindexer.written
    write_next_latest(fold, log, reindexer)
    return written


def write_next_latest(fold: Fold, log: TopicReader, reindexer: Reindexer) -> None:
    """Write all other records of the tickets whose latest one was rejected: the highest version among them stays."""
    keys = frozenset(reindexer.rejected_keys)
    if keys:
        reindexer.index_records(record for record in log.records() if record.key in keys and not fold.is_latest(record))


def delete_surplus(differences: Sequence[Difference], reindexer: Reindexer) -> int:
    """Delete the tickets that are not in the log, at the version after their own. Returns the number deleted."""
    surplus = [(d, d.index) for d in differences if d.kind == "surplus" and d.index is not None]
    return reindexer.write(
        [TicketPoints(d.tenant_id, d.ticket_id, min(version + 1, FINAL_VERSION), ()) for d, version in surplus]
    )


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
