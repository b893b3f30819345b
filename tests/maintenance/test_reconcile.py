"""The log compared with the index: every difference is found, and a running stream makes no false one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import msgspec
import pytest

from core.index import IndexedTicket
from core.model_settings import ModelSettings
from core.protocols import Index
from core.records import Origin, Record, Rejected, Ticket
from core.settings import ContractSettings, Settings, WriterSettings
from maintenance import reconcile
from maintenance.compare import Comparison, Difference, Outcome
from maintenance.fold import Fold, Position
from maintenance.reconcile import compare, delete_surplus
from maintenance.reindexer import Reindexer
from models.run.hashing import HashingEmbedder
from operators.decode import decode
from stream.plan import ticket_steps
from tests.fakes import FakeIndex


def event(offset: int, ticket_id: str, version: int, *, partition: int = 0, op: str = "upsert") -> Record:
    """An event of tenant acme."""
    value = {"op": op, "tenant_id": "acme", "ticket_id": ticket_id, "version": version}
    if op == "upsert":
        value |= {"created_at": 0, "updated_at": 0}
    return Record(Origin("tickets.raw", partition, offset), f"acme/{ticket_id}".encode(), msgspec.json.encode(value), 1)


class FakeLog:
    """A topic in memory.

    `later` are records that arrive once the group's offsets were asked for. `dead_lettered` are positions of dead
    letters, `dead_lettered_later` those of letters that are written while the log is read.
    """

    def __init__(
        self,
        records: Sequence[Record],
        committed: int,
        later: Sequence[Record] = (),
        *,
        dead_lettered: Sequence[Position] = (),
        dead_lettered_later: Sequence[Position] = (),
        expired: int = 0,
        compacted: bool = False,
    ) -> None:
        self._records = list(records)
        self._committed = committed
        self._later = list(later)
        self._expired = expired
        self._compacted = compacted
        self._letters: list[Sequence[Position]] = [dead_lettered, dead_lettered_later]

    def records(self, start: Mapping[int, int] | None = None) -> Iterator[Record]:
        begin = start or {}
        yield from [r for r in self._records if r.origin.offset >= begin.get(r.origin.partition, 0)]

    def committed(self) -> Mapping[int, int]:
        self._records += self._later
        return {0: self._committed}

    def expired(self) -> int:
        return self._expired

    def compacted(self) -> bool:
        return self._compacted

    def dead_lettered(self) -> Sequence[Position]:
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


def test_each_kind_of_difference_is_found() -> None:
    """The kind follows from the versions that the log and the index have."""
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
    assert (kinds, pending) == (wanted, 0), "a tombstone of an unknown ticket is no difference"


def test_a_record_that_decoding_fails_on_can_not_be_used() -> None:
    """A worker makes a dead letter of it, and goes on."""

    def fragile(records: Sequence[Record]) -> Sequence[Ticket | Rejected]:
        if any(record.origin.offset == 1 for record in records):
            raise ZeroDivisionError
        return decode(records, settings=ContractSettings())

    found = Fold(decode=fragile)
    found.read([event(0, "a", 1), event(1, "b", 1), event(2, "c", 1)])
    assert (sorted(found.tickets), found.records, found.unusable) == ([b"acme/a", b"acme/c"], 3, 1)
    assert found.next_offsets == {0: 3}


def test_uncommitted_tickets_are_pending() -> None:
    """A ticket whose latest record is not committed counts as pending, and not as a difference."""
    assert _kinds(FakeLog(_LOG, 5), {"same": (1, False), "old": (2, False), "gone": (2, True)}) == ({}, 4)


def test_records_that_arrive_during_the_comparison_are_no_difference() -> None:
    """The rest of the log is read after the index, so everything in the index is in the log by then."""
    later = [event(11, "new", 1), event(12, "same", 2)]
    held = {"same": (2, False), "old": (2, False), "gone": (2, True), "lost": (1, False), "buried": (3, True),
            "late": (5, False), "crossed": (5, False), "new": (1, False)}  # fmt: skip
    assert _kinds(FakeLog(_LOG, 11, later), held) == ({}, 0)


def test_a_comparison_that_reads_the_log_once_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that reads the log once reports the newest tickets as surplus."""

    def once(found: Fold, log: FakeLog, index: Index) -> Outcome:
        found.read(log.records())
        committed = log.committed()
        comparison = Comparison(found)
        comparison.add_indexed(index.tickets())
        return comparison.outcome(committed)

    monkeypatch.setattr(reconcile, "compare", once)
    monkeypatch.setitem(globals(), "compare", once)
    with pytest.raises(AssertionError):
        test_records_that_arrive_during_the_comparison_are_no_difference()


def test_a_fold_that_keeps_the_last_event_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that keeps the last event instead of the highest version is caught."""

    def last(self: Fold, ticket: Ticket, position: Position) -> None:
        self.tickets.pop(ticket.record.key or b"", None)
        note(self, ticket, position)

    note = Fold._note
    monkeypatch.setattr(Fold, "_note", last)
    with pytest.raises(AssertionError):
        test_each_kind_of_difference_is_found()


def test_a_dead_lettered_record_is_ignored() -> None:
    """A record that a step after decode dead-lettered is not the latest of its ticket."""
    folded = fold()
    folded.ignore([(0, 2)])
    folded.read(iter(_LOG))
    assert folded.tickets[b"acme/old"].version == 1
    assert (folded.records, folded.unusable) == (len(_LOG), 1)


#: The tickets of _LOG without that of offset 5.
_ALL_BUT_LOST = {"same": (1, False), "old": (2, False), "gone": (2, True), "buried": (3, True),
                       "late": (5, False), "crossed": (5, False)}  # fmt: skip


def test_a_record_dead_lettered_during_the_comparison_is_pending() -> None:
    """A ticket counts as pending if its latest record was dead-lettered after the comparison began."""
    assert _kinds(FakeLog(_LOG, 11, dead_lettered_later=[(0, 5)]), _ALL_BUT_LOST) == ({}, 1)
    held = {**_ALL_BUT_LOST, "lost": (1, False), "old": (1, False)}
    assert _kinds(FakeLog(_LOG, 11, dead_lettered_later=[(0, 2)]), held) == ({}, 1)


def test_a_dead_lettered_record_that_was_indexed_later_is_not_surplus() -> None:
    """A worker that died before its commit, or was repaired, may have indexed a record that has a dead letter."""
    held = {**_ALL_BUT_LOST, "lost": (1, False)}
    assert _kinds(FakeLog(_LOG, 11, dead_lettered=[(0, 5)]), held) == ({}, 0), "delete it, and a good ticket is gone"
    assert _kinds(FakeLog(_LOG, 11, dead_lettered=[(0, 2), (0, 5)]), held) == ({}, 0), "nor is it ahead of the log"
    held["lost"] = (2, False)
    assert _kinds(FakeLog(_LOG, 11, dead_lettered=[(0, 5)]), held) == ({"lost": "surplus"}, 0), (
        "no record has version 2"
    )


@pytest.mark.parametrize(
    ("forgotten", "check"),
    [
        ("is_dead_lettered", test_a_record_dead_lettered_during_the_comparison_is_pending),
        ("index_may_have", test_a_dead_lettered_record_that_was_indexed_later_is_not_surplus),
    ],
)
def test_a_comparison_that_ignores_dead_letters_is_caught(
    monkeypatch: pytest.MonkeyPatch, forgotten: str, check: Callable[[], None]
) -> None:
    """A mutant that ignores dead letters reports a missing or a surplus ticket."""
    monkeypatch.setattr(Fold, forgotten, lambda *_args: False)
    with pytest.raises(AssertionError):
        check()


def _twice(version: int, *ops: str) -> list[Record]:
    return [event(at, "twice", version, op=op) for at, op in enumerate(ops)]


def test_one_version_deleted_on_one_side_only_is_a_difference() -> None:
    """Equal versions don't make equal tickets: one side may have the ticket as deleted."""
    assert _kinds(FakeLog(_twice(5, "upsert"), 1), {"twice": (5, True)}) == ({"twice": "buried"}, 0)
    assert _kinds(FakeLog(_twice(5, "delete"), 1), {"twice": (5, False)}) == ({"twice": "resurrected"}, 0)
    assert _kinds(FakeLog(_twice(5, "upsert"), 1), {"twice": (5, False)}) == ({}, 0)


@pytest.mark.parametrize("ops", [("upsert", "delete"), ("delete", "upsert")])
@pytest.mark.parametrize("deleted", [False, True])
def test_one_version_of_an_upsert_and_a_delete_may_be_either(ops: tuple[str, str], deleted: bool) -> None:
    """The contract leaves open which of two events with one version stays; a later version settles it."""
    log = _twice(5, *ops)
    assert _kinds(FakeLog(log, 2), {"twice": (5, deleted)}) == ({}, 0)
    assert _kinds(FakeLog([*log, event(2, "twice", 6)], 3), {"twice": (6, True)}) == ({"twice": "buried"}, 0)


def test_what_expired_records_may_explain_is_no_difference() -> None:
    """On a trimmed log, tickets that it doesn't mention and higher versions are no difference."""
    held = {**_ALL_BUT_LOST, "late": (6, False), "stranger": (1, False), "buried": (3, False), "old": (1, False)}
    outcome = compare(fold(), FakeLog(_LOG, 11, expired=300), _Holds(held))
    assert {d.ticket_id: d.kind for d in outcome.differences} == {"lost": "missing", "old": "stale"}
    unproven = {"late": "ahead", "stranger": "surplus", "buried": "resurrected"}
    assert {d.ticket_id: d.kind for d in outcome.unproven} == unproven
    assert outcome.expired == 300


def test_a_comparison_that_trusts_a_trimmed_log_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that ignores expired records reports their tickets as surplus."""
    monkeypatch.setattr(FakeLog, "expired", lambda _self: 0)
    with pytest.raises(AssertionError):
        test_what_expired_records_may_explain_is_no_difference()


_SURPLUS = [Difference("surplus", "acme", "s", None, 4), Difference("ahead", "acme", "a", 1, 4)]


def _deleting(index: FakeIndex, log: FakeLog) -> int:
    found = fold()
    found.read(log.records())
    steps = ticket_steps(Settings(model=ModelSettings(name="hashing")), HashingEmbedder())
    return delete_surplus(_SURPLUS, found, log, Reindexer(steps=steps, index=index, settings=WriterSettings()))


def test_a_deleted_surplus_ticket_leaves_no_tombstone() -> None:
    """A tombstone would outrank the ticket's next event. Other differences are kept, and so is a newer version."""
    index = FakeIndex()
    index.versions = {("acme", "s"): 4, ("acme", "a"): 4}
    assert _deleting(index, FakeLog([], 0)) == 1
    assert index.versions == {("acme", "a"): 4}
    index.versions = {("acme", "s"): 5}
    _deleting(index, FakeLog([], 0))
    assert index.versions == {("acme", "s"): 5}


class _Growing(FakeLog):
    """A log to which an event of a surplus ticket comes after it was read."""

    def records(self, start: Mapping[int, int] | None = None) -> Iterator[Record]:
        yield from super().records(start)
        self._records = [event(0, "other", 1), event(1, "s", 4)]


def test_an_event_that_comes_meanwhile_is_not_lost() -> None:
    """An event that a worker skipped, because the index had its version, is written after the removal."""
    index = FakeIndex()
    index.versions = {("acme", "s"): 4}
    _deleting(index, _Growing([event(0, "other", 1)], 0))
    assert index.versions == {("acme", "s"): 4}
