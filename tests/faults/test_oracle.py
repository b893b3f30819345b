"""The oracle itself: each kind of fault, planted by hand, is seen and called by its name."""

import re

import msgspec
import pytest

from core.records import Origin, Record
from tests.faults.ledger import Ledger
from tests.faults.oracle import BrokenError, backlog, judge_contents, judge_letters, judge_tickets
from tests.faults.report import Report, Section, percentile
from tests.faults.tickets import ticket

_A = ("acme", "a")


def _log(*sends: tuple[str, int] | tuple[str, int, str]) -> list[Record]:
    """Records of one partition: ticket, version, and `delete` or `broken` where they are that."""
    found = []
    for offset, (ticket_id, version, *kind) in enumerate(sends):
        made = ticket(ticket_id, version)
        value = made.value
        if kind == ["delete"]:
            event = {"op": "delete", "tenant_id": "acme", "ticket_id": ticket_id, "version": version, "updated_at": 0}
            value = msgspec.json.encode(event)
        elif kind == ["broken"]:
            value = b"{"
        found.append(Record(Origin("raw", 0, offset), made.key, value, 0))
    return found


@pytest.mark.parametrize(
    ("held", "kind"),
    [
        ({}, "lost"),
        ({_A: (1, False)}, "stale"),
        ({_A: (3, False)}, "invented"),
        ({_A: (2, False), ("acme", "b"): (1, False)}, "invented"),
    ],
)
def test_what_is_wrong_with_a_ticket_has_a_name(held: dict[tuple[str, str], tuple[int, bool]], kind: str) -> None:
    """Version 2 is the last of the log; anything else is a fault, and only of one kind."""
    verdict = judge_tickets(_log(("a", 1), ("a", 2)), held)
    assert {name for name in ("lost", "stale", "resurrected", "invented") if getattr(verdict, name)} == {kind}
    with pytest.raises(BrokenError):
        verdict.require_clean()


def test_a_deleted_ticket_that_is_there_is_resurrected() -> None:
    """Whether its delete was never applied or undone."""
    verdict = judge_tickets(_log(("a", 1), ("a", 2, "delete"), ("a", 1)), {_A: (1, False)})
    assert verdict.resurrected == [_A]
    with pytest.raises(BrokenError, match="P4"):
        verdict.require_clean()


def test_a_clean_index_is_clean() -> None:
    """The fold and nothing else, in whatever order the log has it."""
    judge_tickets(_log(("a", 2), ("a", 1), ("a", 1, "broken")), {_A: (2, False)}).require_clean()


def test_the_backlog_counts_what_is_not_committed() -> None:
    """A group that has committed nothing is behind by all of the log."""
    log = _log(("a", 1), ("a", 2))
    assert [backlog(log, committed) for committed in ({}, {0: 1}, {0: 2})] == [2, 1, 0]


def test_dead_letters_are_counted_by_place_and_bytes() -> None:
    """One missing, one of a good record, one with other bytes, and one twice."""
    log = _log(("a", 1), ("b", 1, "broken"), ("c", 1, "broken"))

    def letter(place: int, value: bytes | None) -> Record:
        headers = (("dlq-partition", b"0"), ("dlq-offset", str(place).encode()))
        return Record(Origin("dlq", 0, 0), log[place].key, value, 0, headers)

    verdict = judge_tickets([], {})
    judge_letters(log, [letter(2, b"{"), letter(2, b"{")], verdict)
    assert (verdict.unlettered, verdict.wrongly_lettered, verdict.lettered_again) == ([(0, 1)], [], 1)
    judge_letters(log, [letter(0, log[0].value), letter(1, b"{ "), letter(2, b"{")], verdict)
    assert verdict.wrongly_lettered == [(0, 0), (0, 1)]


def test_contents_are_compared_both_ways() -> None:
    """A point too many, one too few and one that differs."""
    verdict = judge_tickets([], {})
    judge_contents({"same": 1, "more": 1, "other": 1}, {"same": 1, "fewer": 1, "other": 2}, verdict)
    assert sorted(verdict.differing) == ["fewer", "more", "other"]


class _Report:
    """A delivery report at an offset."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset


def test_the_floor_is_the_fold_of_what_is_committed() -> None:
    """A send without a report raises nothing, one beyond the commit neither; an older version does not lower it."""
    ledger = Ledger()
    sends = [ledger.open(ticket("a", version)) for version in (2, 1, 3)]
    unreported = ledger.open(ticket("b", 1))
    for offset, send in enumerate(sends):
        ledger.settle(send, None, _Report(offset))  # type: ignore[arg-type]
    assert ledger.floor({0: 0}).of(_A) == (-1, False)
    assert ledger.floor({0: 2}).of(_A) == (2, False)
    assert ledger.floor({0: 4}).of(_A) == (3, False)
    assert unreported.outcome == "unknown"
    assert ledger.counts() == {"ok": 3, "unknown": 1}


def test_an_acknowledged_record_that_is_gone_is_found() -> None:
    """By place and bytes."""
    ledger = Ledger()
    log = _log(("a", 1), ("a", 2))
    for record in log:
        send = ledger.open(ticket("a", record.origin.offset + 1))
        ledger.settle(send, None, _Report(record.origin.offset))  # type: ignore[arg-type]
    assert ledger.missing_from(log) == []
    assert [send.version for send in ledger.missing_from(log[:1])] == [2]


def test_the_report_says_what_held_and_how_to_run_it_again() -> None:
    """The seed, what was broken when, the figures, and the fault where there is one."""
    report = Report(42)
    section = report.section("kills[a]", "Workers are killed.")
    section.note("killed")
    section.found("lost", 1, bound=0, kept=False)
    section.ended("P1: lost: 1")
    text = report.text()
    for words in ("make faults SEED=42", "kills[a]: BROKEN", "killed", "P1: lost: 1", "exceeded"):
        assert words in text


def test_a_section_reaches_another_process_whole() -> None:
    """A report of a section that was packed and unpacked says the same."""
    report, gathered = Report(42), Report(42)
    section = report.section("kills[a]", "Workers are killed.")
    section.note("killed")
    section.found("lost", 1, bound=0, kept=False)
    section.ended("P1: lost: 1")
    gathered.sections.append(Section.unpacked(section.packed()))
    assert gathered.text() == report.text()


def test_a_percentile_of_few_values_is_the_largest() -> None:
    """And never more than that."""
    assert percentile([3.0], 95) == 3.0
    assert percentile([1.0, 2.0, 3.0], 99) <= 3.0
    assert percentile([], 95) == 0.0


def test_the_report_of_a_long_run_stays_short() -> None:
    """An attack in several worlds has a line a figure, from the least to the most; of its events the first and last."""
    report = Report(7)
    section = report.section("killed", "")
    for number, drained in enumerate((9.5, 10.25, 0.75)):
        section.found("lost", 0, bound=0)
        section.found("drained, s", drained, bound=10, kept=drained <= 10)
        section.found("kind", "ab"[number % 2])
    for number in range(100):
        section.note(f"kill {number}")
    section.ended(None)
    text = report.text()
    assert re.search(r"lost +0, 3 times +0", text)
    assert re.search(r"drained, s +0.75 to 10.25, 3 times +10 +exceeded", text)
    assert re.search(r"kind +a to b, 3 times", text)
    assert "kill 14;" in " ".join(text.split())
    assert "and 70 more" in " ".join(text.split())
    assert "kill 15;" not in text
    assert "kill 99" in text
