"""A writer beside an index that no longer fits, or a model that hangs: it stops, and nothing good is lost or moved."""

import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from core.errors import FatalError, RefusedError
from core.records import Batch, Point, TicketPoints
from delivery.bisection import write_all
from tests.fakes import FakeDeadLetters, FakeIndex, points, receipt, record
from tests.stream.test_writer import BAD, Run


class _Misfit(FakeIndex):
    """Was made anew for another model: whatever has points is refused."""

    def write(self, tickets: Sequence[TicketPoints]) -> None:
        if any(ticket.points for ticket in tickets):
            raise RefusedError("the index refuses what it was given (invalid_argument)")
        super().write(tickets)


def _moves_nothing() -> bool:
    """Batches of upserts and deletes to an index that no longer fits: the worker stops, and no good record moves."""
    upserts = [TicketPoints("acme", str(n), 1, (Point(str(n), None, {}),)) for n in range(8)]
    letters = FakeDeadLetters()
    run = Run(_Misfit(), letters, finish=lambda batch: Batch((*upserts, points("gone")), batch.receipt))
    run.writer.submit(Batch(tuple(record(n) for n in range(9)), receipt("r1")))
    run.wait(lambda: run.writer.fault is not None or run.acks == [receipt("r1")])
    run.writer.close()
    return isinstance(run.writer.fault, FatalError) and letters.letters == [] and run.acks == []


def test_an_index_that_no_longer_fits_stops_the_worker_and_moves_nothing() -> None:
    """With one line; the records are read again when it fits."""
    assert _moves_nothing()


def test_the_check_catches_a_writer_that_blames_each_ticket(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: whoever is refused alone is dead-lettered, be it everybody."""
    monkeypatch.setattr("stream.writer.write_tickets", write_all)
    assert not _moves_nothing()


def test_a_letter_that_the_topic_refuses_stops_the_worker() -> None:
    """Too large for it, say: the record is neither dropped nor committed, and the message says what to raise."""
    letters = FakeDeadLetters(lambda _call: RefusedError("producing: too large; raise max.message.bytes of the topic"))
    run = Run(FakeIndex(), letters)
    run.writer.submit(Batch((BAD, points()), receipt("r1")))
    run.wait(lambda: run.writer.fault is not None)
    run.writer.close()
    assert "raise max.message.bytes" in str(run.writer.fault)
    assert run.acks == []


@pytest.mark.parametrize("late", [None, RuntimeError("too late")])
def test_close_leaves_a_batch_that_hangs(monkeypatch: pytest.MonkeyPatch, late: Exception | None) -> None:
    """A model that doesn't come back must not hold the worker's end; what becomes of it later is no fault."""
    monkeypatch.setattr("stream.writer._CLOSE_S", 0.1)
    begun, end, left = threading.Event(), threading.Event(), threading.Event()

    def hang(_batch: Batch[Any]) -> Batch[Any]:
        begun.set()
        end.wait(5)
        left.set()
        raise late or FatalError("embed failed")

    run = Run(FakeIndex(), FakeDeadLetters(), finish=hang)
    run.writer.submit(Batch((record(),), receipt("r1")))
    assert begun.wait(5)
    began = time.monotonic()
    run.writer.close()
    assert time.monotonic() - began < 1
    assert run.writer.hangs
    end.set()
    left.wait(5)
    time.sleep(0.05)
    assert run.writer.fault is None
    assert run.acks == []
