"""Refusals by a sink: of a bad ticket, or of every ticket."""

from collections.abc import Sequence

import pytest

from core.errors import FatalError, RefusedError, TransientError
from core.records import Batch, Point, TicketPoints
from stream.sinks import EMBEDDED, ENRICHED, SinkSpec, write_tickets
from tests.fakes import FakeDeadLetters, points, receipt, record
from tests.stream.runs import Run


def _upserts(count: int) -> list[TicketPoints]:
    return [TicketPoints("acme", str(n), 1, (Point(str(n), None, {}),)) for n in range(count)]


def _deletes(count: int) -> list[TicketPoints]:
    return [TicketPoints("acme", f"gone-{n}", 1, ()) for n in range(count)]


class _Index:
    """Refuses tickets with points, other than `good`."""

    def __init__(self, *good: str) -> None:
        self._good = good
        self.written: list[str] = []

    def write(self, tickets: Sequence[TicketPoints]) -> None:
        if any(ticket.points and ticket.ticket_id not in self._good for ticket in tickets):
            raise RefusedError("invalid_argument")
        self.written += [ticket.ticket_id for ticket in tickets]


@pytest.mark.parametrize("deletes", [0, 1, 50])
@pytest.mark.parametrize("upserts", [2, 3, 64])
def test_an_index_that_refuses_every_upsert_is_at_fault(upserts: int, deletes: int) -> None:
    """If every one of several upserts is refused, the index is at fault, even if it accepts deletes."""
    with pytest.raises(FatalError, match=f"rejects every ticket: all {upserts} tickets") as raised:
        write_tickets([*_deletes(deletes), *_upserts(upserts)], _Index().write)
    assert not isinstance(raised.value, RefusedError), "no ticket is at fault, so none is dead-lettered"


def test_a_single_refused_upsert_is_bad() -> None:
    """A single upsert that is refused among deletes is a bad ticket."""
    assert [refusal.at for refusal in write_tickets([*_deletes(3), *_upserts(1)], _Index().write)] == [3]


def test_all_but_one_may_be_bad() -> None:
    """One accepted upsert shows that the index is not at fault, so all others are bad tickets."""
    index = _Index("4")
    assert [refusal.at for refusal in write_tickets(_upserts(8), index.write)] == [0, 1, 2, 3, 5, 6, 7]
    assert index.written == ["4"]


@pytest.mark.parametrize("spec", [ENRICHED, EMBEDDED])
def test_a_batch_of_tickets_too_large_for_a_topic_stops_no_worker(spec: SinkSpec) -> None:
    """Two large tickets may come alone. A worker that stopped would read them again after each start."""
    assert [refusal.at for refusal in write_tickets(_upserts(2), _Index().write, spec=spec)] == [0, 1]


class _Archive:
    """A sink unknown to the product: it is out at first, and refuses ticket 13."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.out = True

    def write(self, tickets: Sequence[TicketPoints], /) -> None:
        if self.out:
            raise TransientError("archive out")
        if any(ticket.ticket_id == "13" for ticket in tickets):
            raise RefusedError("too old")
        self.written += [ticket.ticket_id for ticket in tickets]


def test_a_new_sink_needs_only_a_description() -> None:
    """Retries, readiness, metrics and dead letters of a sink come from its `SinkSpec` alone."""
    archive, letters = _Archive(), FakeDeadLetters()
    spec = SinkSpec("archive", "archive", "enrich", "too_old", "archived", adaptive=True)
    run = Run(archive, letters, spec=spec, finish=lambda batch: Batch((points("12"), points("13")), batch.receipt))
    run.writer.submit(Batch((record(0), record(1, value=b"raw")), receipt("r1")))
    run.wait(lambda: run.progress.outage == "archive: archive out; one batch probes it, the others wait")
    assert run.sample("tickets_circuit_state", dependency="archive") in {1, 2}
    archive.out = False
    run.wait(lambda: run.acks == [receipt("r1")])
    run.writer.close()
    (letter,) = letters.letters
    assert (archive.written, letter.record.value) == (["12"], b"raw")
    assert (letter.stage, letter.code, letter.reason) == ("enrich", "too_old", "too old")
    assert (run.sample("tickets_retries_total", dependency="archive") or 0) > 0
    assert run.sample("tickets_write_concurrency_limit", dependency="archive") is not None
    assert run.sample("tickets_step_seconds_count", step="write_archive") == 1
    assert run.sample("tickets_acked_total", outcome="archived") == 1
    assert run.sample("tickets_rejected_total", stage="enrich", code="too_old") == 1


def test_the_error_of_a_sink_that_refuses_every_ticket_has_its_noun() -> None:
    """The error names the sink as its description does."""
    spec = SinkSpec("archive", "archive of tickets", "enrich", "too_old", "archived")
    with pytest.raises(FatalError, match="the archive of tickets rejects every ticket"):
        write_tickets(_upserts(2), _Index().write, spec=spec)
