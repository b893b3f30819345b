"""Rebuilds an index from the log, while the old one stays in service."""

import time
from collections.abc import Callable, Iterable
from typing import Final

from core.records import Record
from maintenance.fold import Fold
from maintenance.reconcile import TopicReader, write_next_latest
from maintenance.reindexer import Reindexer

#: Catching up ends with a round shorter than this (seconds), so that little is left for the switch.
_SHORT_S: Final = 2.0
_MAX_ROUNDS: Final = 1_000

#: Wraps the records of a long read, to show progress.
Watch = Callable[[Iterable[Record]], Iterable[Record]]


def write_latest(
    fold: Fold, log: TopicReader, reindexer: Reindexer, *, folding: Watch = iter, writing: Watch = iter
) -> None:
    """Write only the latest record of each ticket; embedding older versions would be wasted work.

    Dead-lettered records are tried again; if one is rejected again, the next latest is written.

    Args:
        fold: of the log; if it is empty, the log is first read into it.
        log: read to fold it, again to write, and once more if a latest record was rejected.
        reindexer: for an empty index.
        folding: wraps the read that folds.
        writing: wraps the read that writes.
    """
    if not fold.records:
        fold.read(folding(log.records()))
    reindexer.index_records(record for record in writing(_folded(log.records(), fold)) if fold.is_latest(record))
    write_next_latest(fold, log, reindexer)


def catch_up(fold: Fold, log: TopicReader, reindexer: Reindexer, *, clock: Callable[[], float] = time.monotonic) -> int:
    """Index new records in rounds, until a round is short. Returns the number of records."""
    total = 0
    for _ in range(_MAX_ROUNDS):
        began = clock()
        total += index_new(fold, log, reindexer)
        if clock() - began < _SHORT_S:
            break
    return total


def index_new(fold: Fold, log: TopicReader, reindexer: Reindexer) -> int:
    """Index the records after those that the fold has read, to the log's end. Returns their number."""
    return reindexer.index_records(_advancing(log.records(fold.next_offsets), fold))


def _advancing(records: Iterable[Record], fold: Fold) -> Iterable[Record]:
    for record in records:
        fold.next_offsets[record.origin.partition] = record.next_offset
        yield record


def _folded(records: Iterable[Record], fold: Fold) -> Iterable[Record]:
    """The records that the fold has read; `catch_up` handles later ones."""
    left = len(fold.next_offsets)
    for record in records:
        end = fold.next_offsets.get(record.origin.partition, 0)
        if record.origin.offset < end:
            yield record
            if record.next_offset == end:
                left -= 1
                if not left:
                    return
