"""An index made anew from the log, while the old one serves on."""

import time
from collections.abc import Callable, Iterable
from typing import Final

from core.records import Record
from worker.bulk import Bulk
from worker.ledger import Ledger
from worker.reconcile import LogReader

#: A round of catching up that took no longer leaves so little that the switch may come.
_SHORT_S: Final = 2.0
_MAX_ROUNDS: Final = 1_000

#: Wraps the records of a long reading, for progress.
Watch = Callable[[Iterable[Record]], Iterable[Record]]


def fill(ledger: Ledger, log: LogReader, bulk: Bulk, *, folding: Watch = iter, writing: Watch = iter) -> None:
    """Write the winner of each ticket, and no more: old versions cost an embedding each and lose.

    Args:
        ledger: takes the fold.
        log: the raw topic, read twice.
        bulk: over an empty index.
        folding: watches the first reading.
        writing: watches the second.
    """
    ledger.read(folding(log.records()))
    bulk.apply(record for record in writing(_until(log.records(), ledger)) if ledger.wins(record))


def catch_up(ledger: Ledger, log: LogReader, bulk: Bulk, *, clock: Callable[[], float] = time.monotonic) -> int:
    """Apply what has come since, round after round, until one is short; how many records."""
    total = 0
    for _ in range(_MAX_ROUNDS):
        began = clock()
        total += follow(ledger, log, bulk)
        if clock() - began < _SHORT_S:
            break
    return total


def follow(ledger: Ledger, log: LogReader, bulk: Bulk) -> int:
    """Apply what lies after the ledger's positions, to the log's end; how many records."""
    return bulk.apply(_noted(log.records(ledger.positions), ledger))


def _noted(records: Iterable[Record], ledger: Ledger) -> Iterable[Record]:
    for record in records:
        ledger.positions[record.origin.partition] = record.origin.offset + 1
        yield record


def _until(records: Iterable[Record], ledger: Ledger) -> Iterable[Record]:
    """Those that the ledger knows: what has come since is for catching up."""
    left = sum(1 for _ in ledger.positions)
    for record in records:
        end = ledger.positions.get(record.origin.partition, 0)
        if record.origin.offset < end:
            yield record
            if record.origin.offset == end - 1:
                left -= 1
                if not left:
                    return
