"""The verdict on a drained stream: the index against the fold of the log, the dead letters against what is broken.

An index that is behind looks like one that lost something, and one that was asked too early like one that didn't:
`backlog` comes first, and a verdict on an undrained stream is refused.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from core.records import Record
from tests.faults.ledger import Send, TicketKey
from tests.oracle import broken, fold

Held = Mapping[TicketKey, tuple[int, bool]]


class BrokenError(AssertionError):
    """A promise that was not kept."""

    def __init__(self, promise: str, words: str) -> None:
        super().__init__(f"{promise}: {words}")
        self.promise = promise


def require(promise: str, kept: bool, words: str) -> None:
    """Raise `BrokenError` unless `kept`."""
    if not kept:
        raise BrokenError(promise, words)


class Verdict(Struct, kw_only=True):
    """What is wrong, by kind; all empty when nothing is."""

    lost: list[TicketKey] = []
    stale: list[TicketKey] = []
    resurrected: list[TicketKey] = []
    invented: list[TicketKey] = []
    differing: list[str] = []
    unlettered: list[tuple[int, int]] = []
    wrongly_lettered: list[tuple[int, int]] = []
    lettered_again: int = 0

    #: The promise that each kind belongs to.
    def require_clean(self) -> None:
        """Raise `BrokenError` for the first thing that is wrong."""
        require("P1", not self.lost, f"lost: {self.lost[:5]} and more, {len(self.lost)} in all")
        require("P4", not self.resurrected, f"deleted and back: {self.resurrected[:5]}, {len(self.resurrected)} in all")
        require("P2", not self.stale, f"stale: {self.stale[:5]}, {len(self.stale)} in all")
        require("P5", not self.invented, f"never sent: {self.invented[:5]}, {len(self.invented)} in all")
        require("P6", not self.unlettered, f"no dead letter of {self.unlettered[:5]}, {len(self.unlettered)} in all")
        require("P6", not self.wrongly_lettered, f"dead letters of good records: {self.wrongly_lettered[:5]}")
        require("P5", not self.differing, f"{len(self.differing)} points differ from the fold: {self.differing[:3]}")


def ends(log: Sequence[Record]) -> dict[int, int]:
    """One past the last offset of each partition."""
    found: dict[int, int] = {}
    for record in log:
        found[record.origin.partition] = max(found.get(record.origin.partition, 0), record.origin.offset + 1)
    return found


def backlog(log: Sequence[Record], committed: Mapping[int, int]) -> int:
    """Records of the log that the group has not committed."""
    return sum(max(0, end - committed.get(partition, 0)) for partition, end in ends(log).items())


def judge_tickets(log: Sequence[Record], held: Held) -> Verdict:
    """The tickets the index holds, against the fold."""
    verdict = Verdict()
    expected = fold(log)
    for key, wanted in expected.items():
        version, deleted = held.get(key, (-1, False))
        if (version, deleted) == (wanted.version, wanted.deleted):
            continue
        if version > wanted.version:
            verdict.invented.append(key)
        elif version < 0:
            verdict.lost.append(key)
        elif wanted.deleted and not deleted:
            verdict.resurrected.append(key)
        else:
            verdict.stale.append(key)
    verdict.invented += [key for key in held if key not in expected]
    return verdict


def judge_letters(log: Sequence[Record], letters: Sequence[Record], verdict: Verdict) -> None:
    """The dead letters, against the records that can't be used: the same places, each with its own bytes."""
    wanted = {(r.origin.partition, r.origin.offset): (r.key, r.value) for r in broken(log)}
    found: Counter[tuple[int, int]] = Counter()
    for letter in letters:
        headers = dict(letter.headers)
        place = (int(headers["dlq-partition"]), int(headers["dlq-offset"]))
        found[place] += 1
        if wanted.get(place) != (letter.key, letter.value) and place not in verdict.wrongly_lettered:
            verdict.wrongly_lettered.append(place)
    verdict.unlettered = [place for place in wanted if place not in found]
    verdict.lettered_again = sum(found.values()) - len(found)


def judge_contents(found: Mapping[str, Any], wanted: Mapping[str, Any], verdict: Verdict) -> None:
    """Every payload and vector, against those of an index given the winning records and nothing else."""
    verdict.differing = [point for point in {**found, **wanted} if found.get(point) != wanted.get(point)]


def acked_and_gone(missing: Sequence[Send]) -> None:
    """Raise `BrokenError` for a record the broker acknowledged and no longer has: no worker can be blamed for that."""
    require("log", not missing, f"the broker lost {len(missing)} records it had acknowledged")
