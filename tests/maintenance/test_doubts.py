"""Records that can't be read or used leave their tickets in doubt."""

from collections.abc import Callable

import msgspec
import pytest

from core.records import Damage, Origin, Record
from maintenance import fold as module
from maintenance.fold import Fold
from maintenance.reconcile import compare
from tests.maintenance.test_reconcile import _ALL_BUT_LOST, _LOG, FakeLog, _Holds, event, fold


def test_a_log_of_which_a_batch_is_damaged_proves_no_surplus() -> None:
    """A batch that can't be read may have held any ticket, and a compacted log has deleted any record."""
    batch = Damage("record", "the client can't read the batch", 30)
    damaged = Record(Origin("tickets.raw", 0, 11), None, None, -1, (), batch)
    for log in (FakeLog([*_LOG, damaged], 31), FakeLog(_LOG, 11, compacted=True)):
        held = {**_ALL_BUT_LOST, "lost": (1, False), "stranger": (1, False), "buried": (3, False)}
        outcome = compare(fold(), log, _Holds(held))
        assert outcome.differences == ()
        assert {d.ticket_id: d.kind for d in outcome.unproven} == {"stranger": "surplus", "buried": "resurrected"}
        assert outcome.doubt in {"20 record(s) of the log can't be read", "the log is compacted, so it lacks records"}


def test_a_batch_that_no_worker_could_read_is_no_loss() -> None:
    """A batch with a dead letter was never in the index, so an index without it lacks nothing."""
    found = fold()
    for offset in (11, 31):
        batch = Damage("record", "the client can't read the batch", offset + 19)
        found.read([Record(Origin("tickets.raw", 0, offset), None, None, -1, (), batch)])
    assert (found.lost, found.lost_since([(0, 31)]), found.lost_since([(0, 11), (0, 31)])) == (40, 20, 0)


def test_a_ticket_with_a_record_that_can_not_be_used_is_not_surplus() -> None:
    """An earlier version may have accepted the record, as times that look like seconds were once."""
    unusable = msgspec.structs.replace(event(11, "unclear", 1), value=b"?")
    outcome = compare(
        fold(),
        FakeLog([*_LOG, unusable], 12),
        _Holds({**_ALL_BUT_LOST, "lost": (1, False), "unclear": (1, False), "stranger": (1, False)}),
    )
    assert {d.ticket_id: d.kind for d in outcome.differences} == {"stranger": "surplus"}
    assert ({d.ticket_id: d.kind for d in outcome.unproven}, outcome.doubt) == ({"unclear": "surplus"}, None)


def test_a_flood_of_unusable_records_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound any ticket may have one of them, and keys that no ticket can have are not kept."""
    monkeypatch.setattr(module, "_MAX_UNUSABLE", 3)
    found = fold()
    found.read([msgspec.structs.replace(event(9, "x", 1), key=b"k" * 2_000, value=b"?")])
    assert not found.is_unclear(b"k" * 2_000)
    for number in range(5):
        assert not found.is_unclear(b"acme/other") or number >= 3
        found.read([msgspec.structs.replace(event(number, str(number), 1), value=b"?")])
    assert found.is_unclear(b"acme/other")
    assert (len(found._unusable_keys), found.unusable) == (3, 6)


@pytest.mark.parametrize(
    ("forgotten", "check"),
    [
        ("lost", test_a_log_of_which_a_batch_is_damaged_proves_no_surplus),
        ("_unusable_keys", test_a_ticket_with_a_record_that_can_not_be_used_is_not_surplus),
    ],
)
def test_a_comparison_that_forgets_what_can_not_be_read_is_caught(
    monkeypatch: pytest.MonkeyPatch, forgotten: str, check: Callable[[], None]
) -> None:
    """A mutant that forgets unreadable or unusable records would delete their tickets."""
    empty = property(lambda _self: 0 if forgotten == "lost" else set(), lambda _self, _value: None)
    monkeypatch.setattr(Fold, forgotten, empty, raising=False)
    with pytest.raises(AssertionError):
        check()
