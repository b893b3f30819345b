"""Log and index compared: what differs is named, and a stream in motion shows no false differences."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import pytest

from core.records import IndexedTicket, Origin, Record, TicketPoints
from core.settings import ContractSettings
from maintenance import reconcile
from maintenance.compare import Comparison, Difference
from maintenance.fold import Fold, Place
from maintenance.reconcile import bury, compare
from operators.decode import decode
from tests.fakes import FakeIndex


def event(offset: int, ticket_id: str, version: int, *, partition: int = 0, op: str = "upsert") -> Record:
    """An event of acme's."""
    value = {"op": op, "tenant_id": "acme", "ticket_id": ticket_id, "version": version}
    if op == "upsert":
        value |= {"created_at": 0, "updated_at": 0}
    return Record(Origin("tickets.raw", partition, offset), f"acme/{ticket_id}".encode(), msgspec.json.encode(value), 1)


class FakeLog:
    """A topic in memory. `later` is what arrives once the group's offsets have been asked for.

    `refused` are places that the dead letters name, `refused_later` those that come while the log is read.
    """

    def __init__(
        self,
        records: Sequence[Record],
        committed: int,
        later: Sequence[Record] = (),
        *,
        refused: Sequence[Place] = (),
        refused_later: Sequence[Place] = (),
    ) -> None:
        self._records = list(records)
        self._committed = committed
        self._later = list(later)
        self._letters: list[Sequence[Place]] = [refused, refused_later]

    def records(self, start: Mapping[int, int] | None = None) -> Iterator[Record]:
        begin = start or {}
        yield from [r for r in self._records if r.origin.offset >= begin.get(r.origin.partition, 0)]

    def committed(self) -> Mapping[int, int]:
        self._records += self._later
        return {0: self._committed}

    def refused(self) -> Sequence[Place]:
        return self._letters.pop(0)


class _Holds(FakeIndex):
    def __init__(self, held: Mapping[str, tuple[int, bool]]) -> None:
        super().__init__()
        self._held = held

    def tickets(self) -> Iterator[IndexedTicket]:
        for ticket_id, (version, deleted) in self._held.items():
            yield IndexedTicket("acme", ticket_id, version, 1, deleted=deleted)


def fold() -> Fold:
    return Fold(decode=partial(decode, settings=ContractSettings()))


def _kinds(log: FakeLog, held: Mapping[str, tuple[int, bool]]) -> tuple[dict[str, str], int]:
    outcome = compare(fold(), log, _Holds(held))
    return {difference.ticket_id: difference.kind for difference in outcome.differences}, outcome.pending


_LOG = (
    event(0, "same", 1), event(1, "old", 1), event(2, "old", 2), event(3, "gone", 1), event(4, "gone", 2, op="delete"),
    event(5, "lost", 1), event(6, "buried", 3, op="delete"), event(7, "late", 5), event(8, "late", 4),
    event(9, "crossed", 5), event(10, "crossed", 4),
)  # fmt: skip


def test_each_kind_of_difference_is_named() -> None:
    """By the versions that log and index have."""
    held = {
        "same": (1, False),
        "old": (1, False),
        "gone": (1, False),
        "buried": (3, True),
        "late": (6, False),
        "crossed": (5, False),
        "stranger": (1, False),
        "forgotten": (1, True),
    }
    kinds, pending = _kinds(FakeLog(_LOG, 11), held)
    wanted = {"old": "stale", "gone": "resurrected", "lost": "missing", "late": "ahead", "stranger": "surplus"}
    assert (kinds, pending) == (wanted, 0), "a tombstone that nobody asked for shows nothing, and is none"


def test_what_the_group_has_not_committed_is_pending() -> None:
    """It is on its way, and no difference."""
    assert _kinds(FakeLog(_LOG, 5), {"same": (1, False), "old": (2, False), "gone": (2, True)}) == ({}, 4)


def test_what_arrives_while_the_index_is_read_is_no_difference() -> None:
    """The log is read once more after the index: whatever is in the one is in the other by then."""
    later = [event(11, "new", 1), event(12, "same", 2)]
    held = {"same": (2, False), "old": (2, False), "gone": (2, True), "lost": (1, False), "buried": (3, True),
            "late": (5, False), "crossed": (5, False), "new": (1, False)}  # fmt: skip
    assert _kinds(FakeLog(_LOG, 11, later), held) == ({}, 0)


def test_a_comparison_that_reads_the_log_once_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the newest tickets for nobody's."""

    def once(found: Fold, log: FakeLog, index: Any) -> Any:
        found.read(log.records())
        committed = log.committed()
        comparison = Comparison(found)
        comparison.look(index.tickets())
        return comparison.outcome(committed)

    monkeypatch.setattr(reconcile, "compare", once)
    monkeypatch.setitem(globals(), "compare", once)
    with pytest.raises(AssertionError):
        test_what_arrives_while_the_index_is_read_is_no_difference()


def test_a_fold_that_keeps_the_last_event_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The highest version counts, not the one written last."""

    def last(self: Fold, ticket: Any, lies: Any) -> None:
        self.tickets.pop(ticket.record.key, None)
        note(self, ticket, lies)

    note = Fold._note
    monkeypatch.setattr(Fold, "_note", last)
    with pytest.raises(AssertionError):
        test_each_kind_of_difference_is_named()


def test_what_a_later_step_refused_does_not_count() -> None:
    """The index holds the version before it, and rightly."""
    folded = fold()
    folded.refuse([(0, 2)])
    folded.read(iter(_LOG))
    assert folded.tickets[b"acme/old"].version == 1
    assert (folded.records, folded.unusable) == (len(_LOG), 1)


#: Everything that _LOG says but the ticket of offset 5.
_ALL_BUT_LOST = {"same": (1, False), "old": (2, False), "gone": (2, True), "buried": (3, True),
                       "late": (5, False), "crossed": (5, False)}  # fmt: skip


def test_what_a_later_step_refuses_while_the_log_is_read_is_no_difference() -> None:
    """Its letter was not there when the comparison began; the index holds it rightly not, or the version before it."""
    assert _kinds(FakeLog(_LOG, 11, refused_later=[(0, 5)]), _ALL_BUT_LOST) == ({}, 1)
    held = {**_ALL_BUT_LOST, "lost": (1, False), "old": (1, False)}
    assert _kinds(FakeLog(_LOG, 11, refused_later=[(0, 2)]), held) == ({}, 1)


def test_what_was_refused_and_then_indexed_is_not_surplus() -> None:
    """A worker died before the commit, or was mended: the record was read again, and its letter is still there."""
    held = {**_ALL_BUT_LOST, "lost": (1, False)}
    assert _kinds(FakeLog(_LOG, 11, refused=[(0, 5)]), held) == ({}, 0), "delete it, and a good ticket is gone"
    assert _kinds(FakeLog(_LOG, 11, refused=[(0, 2), (0, 5)]), held) == ({}, 0), "nor is it ahead of the log"
    held["lost"] = (2, False)
    assert _kinds(FakeLog(_LOG, 11, refused=[(0, 5)]), held) == ({"lost": "surplus"}, 0), "no record has version 2"


@pytest.mark.parametrize(
    ("forgotten", "check"),
    [
        ("doubtful", test_what_a_later_step_refuses_while_the_log_is_read_is_no_difference),
        ("may_hold", test_what_was_refused_and_then_indexed_is_not_surplus),
    ],
)
def test_a_comparison_that_forgets_what_was_refused_is_caught(
    monkeypatch: pytest.MonkeyPatch, forgotten: str, check: Callable[[], None]
) -> None:
    """It takes the one for missing, and would delete the other."""
    monkeypatch.setattr(Fold, forgotten, lambda *_args: False)
    with pytest.raises(AssertionError):
        check()


def test_a_surplus_ticket_is_deleted_one_version_on() -> None:
    """So that the delete wins over what is there; other differences are left alone."""
    written: list[TicketPoints] = []

    class _Bulk:
        def write(self, tickets: Sequence[TicketPoints]) -> int:
            written.extend(tickets)
            return len(tickets)

    differences = [Difference("surplus", "acme", "s", None, 4), Difference("ahead", "acme", "a", 1, 4)]
    bulk: Any = _Bulk()
    assert bury(differences, bulk) == 1
    assert [(t.ticket_id, t.version, t.points) for t in written] == [("s", 5, ())]
