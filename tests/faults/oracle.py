"""The verdict on a drained stream: compares the index with the fold of the log, and dead letters with bad records.

A stream with a backlog is not judged: unread records would look lost.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from core.records import Record
from tests.faults.ledger import Send, TicketKey
from tests.faults.report import Section
from tests.oracle import broken, fold

Held = Mapping[TicketKey, tuple[int, bool]]


class BrokenError(AssertionError):
    """A promise was broken."""

    def __init__(self, promise: str, words: str) -> None:
        super().__init__(f"{promise}: {words}")
        self.promise = promise


def require(promise: str, kept: bool, words: str) -> None:
    """Raise `BrokenError` unless `kept`."""
    if not kept:
        raise BrokenError(promise, words)


class Verdict(Struct, kw_only=True):
    """The faults found, by kind."""

    lost: list[TicketKey] = []
    stale: list[TicketKey] = []
    resurrected: list[TicketKey] = []
    invented: list[TicketKey] = []
    differing: list[str] = []
    missing_letters: list[tuple[int, int]] = []
    surplus_letters: list[tuple[int, int]] = []
    duplicate_letters: int = 0

    def report_to(self, section: Section) -> None:
        """Add the number of faults of each kind to `section`."""
        for kind in ("lost", "stale", "resurrected", "invented"):
            count = len(getattr(self, kind))
            section.found(kind, count, bound=0, kept=not count)
        wrong = len(self.missing_letters) + len(self.surplus_letters)
        section.found("dead letters missing or wrong", wrong, bound=0, kept=not wrong)
        section.found("dead letters written again", self.duplicate_letters)

    def require_clean(self) -> None:
        """Raise `BrokenError` for the first fault, with the promise that it breaks."""
        require("P1", not self.lost, f"{len(self.lost)} tickets are lost: {self.lost[:5]}")
        require("P4", not self.resurrected, f"{len(self.resurrected)} deleted tickets are back: {self.resurrected[:5]}")
        require("P2", not self.stale, f"{len(self.stale)} tickets are stale: {self.stale[:5]}")
        require("P5", not self.invented, f"{len(self.invented)} tickets were never sent: {self.invented[:5]}")
        require(
            "P6",
            not self.missing_letters,
            f"{len(self.missing_letters)} bad records without a letter: {self.missing_letters[:5]}",
        )
        require("P6", not self.surplus_letters, f"dead letters of good records: {self.surplus_letters[:5]}")
        require("P5", not self.differing, f"{len(self.differing)} points differ from the fold: {self.differing[:3]}")


def ends(log: Sequence[Record]) -> dict[int, int]:
    """The end offset of each partition."""
    found: dict[int, int] = {}
    for record in log:
        found[record.origin.partition] = max(found.get(record.origin.partition, 0), record.origin.offset + 1)
    return found


def backlog(log: Sequence[Record], committed: Mapping[int, int]) -> int:
    """The number of records that the group has not committed."""
    return sum(max(0, end - committed.get(partition, 0)) for partition, end in ends(log).items())


def judge_tickets(log: Sequence[Record], held: Held) -> Verdict:
    """Compare the index's tickets with the fold of the log."""
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
    """Compare the dead letters with the bad records, by place and bytes."""
    wanted = {(r.origin.partition, r.origin.offset): (r.key, r.value) for r in broken(log)}
    found: Counter[tuple[int, int]] = Counter()
    for letter in letters:
        headers = {name: value or b"" for name, value in letter.headers}
        place = (int(headers["dlq-partition"]), int(headers["dlq-offset"]))
        found[place] += 1
        right = place in wanted and _is_letter_of(letter, headers, *wanted[place])
        if not right and place not in verdict.surplus_letters:
            verdict.surplus_letters.append(place)
    verdict.missing_letters = [place for place in wanted if place not in found]
    verdict.duplicate_letters = sum(found.values()) - len(found)


def _is_letter_of(letter: Record, headers: Mapping[str, bytes], key: bytes | None, value: bytes | None) -> bool:
    """Whether the letter has this key and value; a value that was cut is told by its size and hash."""
    if headers.get("dlq-cut") != b"value" or value is None or letter.value is None:
        return (letter.key, letter.value) == (key, value)
    told = (headers["dlq-value-bytes"], headers["dlq-value-sha256"])
    whole = (str(len(value)).encode(), hashlib.sha256(value).hexdigest().encode())
    return letter.key == key and value.startswith(letter.value) and told == whole


def judge_contents(found: Mapping[str, Any], wanted: Mapping[str, Any], verdict: Verdict) -> None:
    """Compare every payload and vector with those of an index that holds the winning records only."""
    verdict.differing = [point for point in {**found, **wanted} if found.get(point) != wanted.get(point)]


def acked_and_gone(missing: Sequence[Send]) -> None:
    """Raise `BrokenError` if the broker lost records that it had acknowledged, which is no fault of a worker."""
    require("log", not missing, f"the broker lost {len(missing)} records that it had acknowledged")
