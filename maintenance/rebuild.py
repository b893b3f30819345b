"""An index made anew from the log, while the old one serves on."""

import time
from collections.abc import Callable, Iterable
from typing import Final

from core.records import Record
from maintenance.bulk import Bulk
from maintenance.fold import Fold
from maintenance.reconcile import TopicReader, fall_back

#: A round of catching up that took no longer leaves so little that the switch may come.
_SHORT_S: Final = 2.0
_MAX_ROUNDS: Final = 1_000

#: Wraps the records of a long reading, for progress.
Watch = Callable[[Iterable[Record]], Iterable[Record]]


def fill(fold: Fold, log: TopicReader, bulk: Bulk, *, folding: Watch = iter, writing: Watch = iter) -> None:
    """Write the winner of each ticket, and no more: old versions cost an embedding each and lose.

    Dead letters don't count: what was refused once may be accepted now, and where it isn't the next best is written.

    Args:
        fold: of the log, or empty; then the log is read into it first.
        log: read again, and once more where a winner is of no use.
        bulk: over an empty index.
        folding: watches the first reading.
        writing: watches the second.
    """
    if not fold.records:
        fold.read(folding(log.records()))
    bulk.apply(record for record in writing(_until(log.records(), fold)) if fold.wins(record))
    fall_back(fold, log, bulk)


def catch_up(fold: Fold, log: TopicReader, bulk: Bulk, *, clock: Callable[[], float] = time.monotonic) -> int:
    """Apply what has come since, round after round, until one is short; how many records."""
    total = 0
    for _ in range(_MAX_ROUNDS):
        began = clock()
        total += follow(fold, log, bulk)
        if clock() - began < _SHORT_S:
            break
    return total


def follow(fold: Fold, log: TopicReader, bulk: Bulk) -> int:
    """Apply what lies after the fold's positions, to the log's end; how many records."""
    return bulk.apply(_noted(log.records(fold.positions), fold))


def _noted(records: Iterable[Record], fold: Fold) -> Iterable[Record]:
    for record in records:
        fold.positions[record.origin.partition] = record.origin.offset + 1
        yield record


def _until(records: Iterable[Record], fold: Fold) -> Iterable[Record]:
    """Those that the fold knows: what has come since is for catching up."""
    left = sum(1 for _ in fold.positions)
    for record in records:
        end = fold.positions.get(record.origin.partition, 0)
        if record.origin.offset < end:
            yield record
            if record.origin.offset == end - 1:
                left -= 1
                if not left:
                    return
