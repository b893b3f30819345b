"""The oracle, the ledger and the report: each kind of fault that is planted by hand is found and named."""

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
    """Records of one partition, from ticket, version, and `delete` or `broken`."""
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
def test_each_fault_of_a_ticket_is_named(held: dict[tuple[str, str], tuple[int, bool]], kind: str) -> None:
    """A ticket that isn't at the version of the fold is a fault of exactly one kind."""
    verdict = judge_tickets(_log(("a", 1), ("a", 2)), held)
    assert {name for name in ("lost", "stale", "resurrected", "invented") if getattr(verdict, name)} == {kind}
    with pytest.raises(BrokenError):
        verdict.require_clean()


def test_a_deleted_ticket_in_the_index_is_resurrected() -> None:
    """A deleted ticket in the index counts as resurrected."""
    verdict = judge_tickets(_log(("a", 1), ("a", 2, "delete"), ("a", 1)), {_A: (1, False)})
    assert verdict.resurrected == [_A]
    with pytest.raises(BrokenError, match="P4"):
        verdict.require_clean()


def test_a_clean_index_is_clean() -> None:
    """An index that equals the fold of the log has no fault, whatever the order of the log."""
    judge_tickets(_log(("a", 2), ("a", 1), ("a", 1, "broken")), {_A: (2, False)}).require_clean()


def test_the_backlog_is_the_uncommitted_records() -> None:
    """The backlog is the number of records past the commit, or of all records without one."""
    log = _log(("a", 1), ("a", 2))
    assert [backlog(log, committed) for committed in ({}, {0: 1}, {0: 2})] == [2, 1, 0]


def test_dead_letters_are_compared_by_place_and_bytes() -> None:
    """Missing, wrong, altered and repeated dead letters are found."""
    log = _log(("a", 1), ("b", 1, "broken"), ("c", 1, "broken"))

    def letter(place: int, value: bytes | None) -> Record:
        headers = (("dlq-partition", b"0"), ("dlq-offset", str(place).encode()))
        return Record(Origin("dlq", 0, 0), log[place].key, value, 0, headers)

    verdict = judge_tickets([], {})
    judge_letters(log, [letter(2, b"{"), letter(2, b"{")], verdict)
    assert (verdict.missing_letters, verdict.surplus_letters, verdict.duplicate_letters) == ([(0, 1)], [], 1)
    judge_letters(log, [letter(0, log[0].value), letter(1, b"{ "), letter(2, b"{")], verdict)
    assert verdict.surplus_letters == [(0, 0), (0, 1)]


def test_contents_are_compared_both_ways() -> None:
    """Surplus, missing and different points are found."""
    verdict = judge_tickets([], {})
    judge_contents({"same": 1, "more": 1, "other": 1}, {"same": 1, "fewer": 1, "other": 2}, verdict)
    assert sorted(verdict.differing) == ["fewer", "more", "other"]


class _Report:
    """A delivery report."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset


def test_the_floor_is_the_fold_of_committed_records() -> None:
    """Only committed sends with a delivery report raise the floor, and older versions don't lower it."""
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


def test_a_lost_acknowledged_record_is_found() -> None:
    """An acknowledged record that is not at its place in the log is found."""
    ledger = Ledger()
    log = _log(("a", 1), ("a", 2))
    for record in log:
        send = ledger.open(ticket("a", record.origin.offset + 1))
        ledger.settle(send, None, _Report(record.origin.offset))  # type: ignore[arg-type]
    assert ledger.missing_from(log) == []
    assert [send.version for send in ledger.missing_from(log[:1])] == [2]


def test_the_report_shows_figures_faults_and_seed() -> None:
    """The report shows the seed, the events, the figures, and the fault of a section."""
    report = Report(42)
    section = report.section("kills[a]", "Workers are killed.")
    section.note("killed")
    section.found("lost", 1, bound=0, kept=False)
    section.ended("P1: lost: 1")
    text = report.text()
    for words in ("make faults SEED=42", "kills[a]: BROKEN", "killed", "P1: lost: 1", "exceeded"):
        assert words in text


def test_a_section_survives_packing() -> None:
    """A report shows the same of a section that was packed and unpacked."""
    report, gathered = Report(42), Report(42)
    section = report.section("kills[a]", "Workers are killed.")
    section.note("killed")
    section.found("lost", 1, bound=0, kept=False)
    section.ended("P1: lost: 1")
    gathered.sections.append(Section.unpacked(section.packed()))
    assert gathered.text() == report.text()


def test_a_percentile_is_at_most_the_largest_value() -> None:
    """With few values a percentile is the largest one."""
    assert percentile([3.0], 95) == 3.0
    assert percentile([1.0, 2.0, 3.0], 99) <= 3.0
    assert percentile([], 95) == 0.0


def test_the_report_of_a_long_run_stays_short() -> None:
    """A figure of several worlds is one line with its range, and the middle of a long list of events is left out."""
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
