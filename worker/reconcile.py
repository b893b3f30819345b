"""Does the index hold what the log says? And if not: the winning records once more, through the ordinary steps."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from core.contract import FINAL_VERSION, record_key
from core.ports import Index
from core.records import Record, TicketPoints
from worker.bulk import Advance, Bulk
from worker.compare import Comparison, Difference, Outcome
from worker.ledger import Ledger, place


class LogReader(Protocol):
    """The raw topic."""

    def records(self, start: Mapping[int, int] | None = None) -> Iterator[Record]:
        """From `start`, by partition, to the end as it is when it is reached."""
        ...

    def committed(self) -> Mapping[int, int]:
        """What the group has committed, by partition."""
        ...


def compare(
    ledger: Ledger, log: LogReader, index: Index, *, watch: Callable[[Iterable[Record]], Iterable[Record]] = iter
) -> Outcome:
    """Read the log into the empty `ledger`, then the index, and say in which tickets they differ.

    Workers may go on meanwhile: see `worker.compare.Comparison`.

    Args:
        ledger: takes the fold.
        log: the raw topic.
        index: what should be its fold.
        watch: wraps the records of the long first reading, for progress.
    """
    ledger.read(watch(log.records()))
    committed = log.committed()
    comparison = Comparison(ledger)
    comparison.look(index.tickets())
    ledger.read(log.records(ledger.positions))
    return comparison.outcome(committed)


def mend(
    differences: Sequence[Difference], ledger: Ledger, log: LogReader, bulk: Bulk, *, advance: Advance = lambda _n: None
) -> None:
    """Write the winning record of each ticket that is missing, stale or resurrected.

    The index keeps the highest version, so a worker that is faster loses nothing by it.
    """
    keys = {record_key(d.tenant_id, d.ticket_id) for d in differences if d.kind in {"missing", "stale", "resurrected"}}
    wanted = {(ledger.tickets[key].partition, ledger.tickets[key].offset) for key in keys}
    if wanted:
        bulk.apply(_at(wanted, log), advance=advance)


def bury(differences: Sequence[Difference], bulk: Bulk) -> int:
    """Delete the tickets that the log doesn't know, each with the version after the one it has; how many."""
    surplus = [d for d in differences if d.kind == "surplus" and d.index is not None]
    bulk.write([TicketPoints(d.tenant_id, d.ticket_id, min(_after(d), FINAL_VERSION), ()) for d in surplus])
    return len(surplus)


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
