"""A writer with an index that refuses every ticket, or a model that hangs, stops and dead-letters no good record."""

import threading
import time
from collections.abc import Sequence

import pytest

from core.errors import FatalError, RefusedError
from core.records import Batch, Item, Point, Rejected, TicketPoints
from delivery.bisection import write_with_bisection
from stream import writer
from tests.fakes import FakeDeadLetters, FakeIndex, points, receipt, record
from tests.rigs.waiting import PATIENCE_S
from tests.stream.runs import BAD, Run


class _Misfit(FakeIndex):
    """An index recreated for another model: it refuses every ticket with points."""

    def write(self, tickets: Sequence[TicketPoints]) -> None:
        if any(ticket.points for ticket in tickets):
            raise RefusedError("the index refuses what it was given (invalid_argument)")
        super().write(tickets)


def _dead_letters_nothing() -> bool:
    """Whether a writer to an index that refuses every ticket stops without a dead letter or an ack."""
    upserts = [TicketPoints("acme", str(n), 1, (Point(str(n), None, {}),)) for n in range(8)]
    letters = FakeDeadLetters()
    run = Run(_Misfit(), letters, finish=lambda batch: Batch((*upserts, points("gone")), batch.receipt))
    run.writer.submit(Batch(tuple(record(n) for n in range(9)), receipt("r1")))
    run.wait(lambda: run.writer.fault is not None or run.acks == [receipt("r1")])
    run.writer.close()
    return isinstance(run.writer.fault, FatalError) and letters.letters == [] and run.acks == []


def test_an_index_that_no_longer_fits_stops_the_worker() -> None:
    """An index that refuses every upsert stops the worker, and no record is dead-lettered or acked."""
    assert _dead_letters_nothing()


def test_the_check_catches_a_writer_that_blames_each_ticket(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that dead-letters every refused ticket is caught."""
    monkeypatch.setattr(writer, "write_tickets", lambda tickets, write, **_spec: write_with_bisection(tickets, write))
    assert not _dead_letters_nothing()


def test_a_refused_dead_letter_stops_the_worker() -> None:
    """A dead letter that its topic refuses stops the worker, with the topic's reason and without an ack."""
    letters = FakeDeadLetters(lambda _call: RefusedError("producing: too large; raise max.message.bytes of the topic"))
    run = Run(FakeIndex(), letters)
    run.writer.submit(Batch((BAD, points()), receipt("r1")))
    run.wait(lambda: run.writer.fault is not None)
    run.writer.close()
    assert "raise max.message.bytes" in str(run.writer.fault)
    assert run.acks == []


@pytest.mark.parametrize("late", [None, RuntimeError("too late")])
def test_close_leaves_a_batch_that_hangs(monkeypatch: pytest.MonkeyPatch, late: Exception | None) -> None:
    """`close` gives up a batch that hangs in the model, and ignores its later error."""
    monkeypatch.setattr("stream.writer._CLOSE_S", 0.1)
    begun, end, left = threading.Event(), threading.Event(), threading.Event()

    def hang(_batch: Batch[Item]) -> Batch[TicketPoints | Rejected]:
        begun.set()
        end.wait(PATIENCE_S)
        left.set()
        raise late or FatalError("embed failed")

    run = Run(FakeIndex(), FakeDeadLetters(), finish=hang)
    run.writer.submit(Batch((record(),), receipt("r1")))
    assert begun.wait(PATIENCE_S)
    run.writer.close()
    assert not left.is_set(), "it has waited for the batch"
    assert run.writer.hangs
    end.set()
    left.wait(PATIENCE_S)
    time.sleep(0.05)
    assert run.writer.fault is None
    assert run.acks == []
