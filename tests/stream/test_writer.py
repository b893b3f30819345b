"""The writer acks a batch after its effects are durable, and through any outage."""

import threading
from collections.abc import Sequence

import pytest

from core.errors import FatalError, RefusedError, TransientError
from core.records import Batch, Item, Rejected, TicketPoints, record_of
from stream.writer import Writer
from tests.fakes import FakeDeadLetters, FakeIndex, points, receipt, record
from tests.rigs.waiting import PATIENCE_S
from tests.stream.runs import BAD, Finish, Run


def test_a_batch_is_acked_once_all_of_it_is_durable() -> None:
    """A batch is acked when its points are in the index and its rejected records in the dead letters."""
    index, letters = FakeIndex(), FakeDeadLetters()
    run = Run(index, letters)
    run.writer.submit(Batch((points("1"), BAD, points("2")), receipt("r1")))
    run.wait(lambda: run.acks == [receipt("r1")])
    run.writer.close()
    assert set(index.versions) == {("acme", "1"), ("acme", "2")}
    assert letters.letters == [BAD]
    assert run.sample("tickets_acked_total", outcome="indexed") == 2
    assert run.sample("tickets_rejected_total", stage="decode", code="bad_json") == 1


def _early_ack_is_caught(kind: type[Writer[TicketPoints]]) -> bool:
    """Whether a batch stays unacked when the index fails."""
    run = Run(FakeIndex(lambda _call: FatalError("gone")), FakeDeadLetters(), kind)
    run.writer.submit(Batch((points(),), receipt("r1")))
    run.wait(lambda: run.writer.fault is not None)
    run.writer.close()
    return run.acks == [] and isinstance(run.writer.fault, FatalError)


def test_a_permanent_fault_leaves_the_batch_unacked() -> None:
    """A fault of the index that is not an outage leaves the batch unacked, and is the writer's fault."""
    assert _early_ack_is_caught(Writer)


def test_the_check_catches_an_ack_before_the_write() -> None:
    """A mutant that acks before it writes is caught when the index fails."""

    class AckFirst(Writer[TicketPoints]):
        def _run(self, unfinished: Batch[Item]) -> None:
            self._ack(unfinished.receipt)
            super()._run(unfinished)

    assert not _early_ack_is_caught(AckFirst)


def test_an_outage_is_retried_and_nothing_is_dead_lettered() -> None:
    """A write that fails three times is retried three times, acked once and not dead-lettered."""
    index = FakeIndex(lambda call: TransientError("index out") if call <= 3 else None)
    letters = FakeDeadLetters()
    run = Run(index, letters)
    run.writer.submit(Batch((points(),), receipt("r1")))
    run.wait(lambda: run.acks == [receipt("r1")])
    run.writer.close()
    assert letters.letters == []
    assert run.sample("tickets_retries_total", dependency="index") == 3
    assert run.progress.outage is None


def test_an_outage_of_the_dead_letter_topic_holds_the_batch_back() -> None:
    """A batch is acked only after its dead letters are written, which is retried."""
    letters = FakeDeadLetters(lambda call: TransientError("broker out") if call <= 2 else None)
    run = Run(FakeIndex(), letters)
    run.writer.submit(Batch((BAD,), receipt("r1")))
    run.wait(lambda: run.acks == [receipt("r1")])
    run.writer.close()
    assert letters.letters == [BAD]


def test_close_during_an_outage_gives_the_batch_up_unacked() -> None:
    """A writer that is closed while the index is out ends without a fault, and does not ack the batch."""
    run = Run(FakeIndex(lambda _call: TransientError("index out")), FakeDeadLetters())
    run.writer.submit(Batch((points(),), receipt("r1")))
    run.wait(lambda: run.progress.outage is not None)
    run.writer.close()
    assert run.acks == []
    assert run.writer.fault is None


def test_batches_are_written_concurrently() -> None:
    """Two concurrent batches are in their writes at the same time."""
    both = threading.Barrier(2, timeout=PATIENCE_S)

    class Meeting(FakeIndex):
        def write(self, tickets: Sequence[TicketPoints]) -> None:
            both.wait()
            super().write(tickets)

    run = Run(Meeting(), FakeDeadLetters())
    run.writer.submit(Batch((points("1"),), receipt("r1")))
    run.writer.submit(Batch((points("2"),), receipt("r2")))
    run.wait(lambda: len(run.acks) == 2)
    run.writer.close()
    assert run.writer.fault is None


class _Picky(FakeIndex):
    """Refuses any call with ticket 13, and fails the calls `out`."""

    def __init__(self, *out: int) -> None:
        super().__init__(lambda call: TransientError("index out") if call in out else None)

    def write(self, tickets: Sequence[TicketPoints]) -> None:
        if any(ticket.ticket_id == "13" for ticket in tickets) and self._fault(self.calls + 1) is None:
            self.calls += 1
            raise RefusedError("the index refuses what it was given (invalid_argument)")
        super().write(tickets)


def _number(batch: Batch[Item]) -> Batch[TicketPoints | Rejected]:
    """Make each record the ticket that its offset numbers."""
    return Batch(tuple(points(str(record_of(item).origin.offset)) for item in batch.items), batch.receipt)


@pytest.mark.parametrize("out", [(), (1,), (3, 4, 5), (7,)])
def test_only_the_refused_ticket_is_dead_lettered(out: tuple[int, ...]) -> None:
    """A refused ticket's record is dead-lettered as it was read, the others are written, and outages reject nothing."""
    index, letters = _Picky(*out), FakeDeadLetters()
    run = Run(index, letters, finish=_number)
    records = [record(n, value=b"raw %d" % n) for n in range(64)]
    run.writer.submit(Batch(tuple(records), receipt("r1")))
    run.wait(lambda: run.acks == [receipt("r1")])
    run.writer.close()
    (letter,) = letters.letters
    assert letter.record is records[13]
    assert (letter.stage, letter.code) == ("index", "bad_point")
    assert set(index.versions) == {("acme", str(n)) for n in range(64) if n != 13}
    assert index.calls - len(out) <= 1 + 6 + 3, "log2(64) calls and three more"
    assert run.sample("tickets_acked_total", outcome="indexed") == 63
    assert run.sample("tickets_rejected_total", stage="index", code="bad_point") == 1


class _Topic:
    """A first sink. It adds its tickets to the list `seen`, and refuses ticket 13."""

    def __init__(self, seen: list[tuple[str, str]]) -> None:
        self._seen = seen

    def write(self, tickets: Sequence[TicketPoints], /) -> None:
        if any(ticket.ticket_id == "13" for ticket in tickets):
            raise RefusedError("too large")
        self._seen += [("embedded", ticket.ticket_id) for ticket in tickets]


def test_sinks_are_written_in_order() -> None:
    """A ticket that the first sink refuses is not written to the second, whose outage repeats no write to the first."""
    seen: list[tuple[str, str]] = []

    class Second(FakeIndex):
        def write(self, tickets: Sequence[TicketPoints]) -> None:
            super().write(tickets)
            seen.extend(("index", ticket.ticket_id) for ticket in tickets)

    index, letters = Second(lambda call: TransientError("out") if call <= 3 else None), FakeDeadLetters()
    run = Run(index, letters, finish=_number, first=_Topic(seen))
    run.writer.submit(Batch(tuple(record(n) for n in (12, 13, 14)), receipt("r1")))
    run.wait(lambda: run.acks == [receipt("r1")])
    run.writer.close()
    assert seen == [("embedded", "12"), ("embedded", "14"), ("index", "12"), ("index", "14")]
    (letter,) = letters.letters
    assert (letter.stage, letter.code) == ("embed", "too_large")


def _reject(share: float) -> Finish[TicketPoints]:
    """Reject `share` of every ten records."""

    def finish(batch: Batch[Item]) -> Batch[TicketPoints | Rejected]:
        records = [record_of(item) for item in batch.items]
        items = [
            Rejected(item, "decode", "bad_json", "reason") if item.origin.offset % 10 < 10 * share else points()
            for item in records
        ]
        return Batch(tuple(items), batch.receipt)

    return finish


def _stream(share: float) -> tuple[Run[TicketPoints], FakeDeadLetters]:
    """Write 10,000 records, `share` of them broken."""
    letters = FakeDeadLetters()
    run = Run(FakeIndex(), letters, finish=_reject(share))
    for start in range(0, 10_000, 100):
        run.writer.submit(Batch(tuple(record(n) for n in range(start, start + 100)), receipt(start)))
    run.wait(lambda: run.writer.fault is not None or len(run.acks) == 100)
    run.writer.close()
    return run, letters


def test_a_topic_of_broken_records_stops_the_worker() -> None:
    """A stream of broken records stops the worker with exit code 1 and the commonest code, after few dead letters."""
    run, letters = _stream(1)
    fault = run.writer.fault
    assert isinstance(fault, FatalError)
    assert fault.exit_code == 1
    assert "of them for bad_json" in str(fault)
    assert len(letters.letters) < 1_000
    assert len(run.acks) * 100 == len(letters.letters), "what is acked is in the dead letters"


def test_a_third_of_broken_records_does_not_stop_the_worker() -> None:
    """If 30% of the records are broken, they are dead-lettered and the worker continues."""
    run, letters = _stream(0.3)
    assert run.writer.fault is None
    assert len(letters.letters) == 3_000


@pytest.mark.parametrize("error", [RuntimeError("the text"), FatalError("embed failed: RuntimeError")])
def test_a_model_that_raises_stops_the_worker(error: Exception) -> None:
    """An exception of the model is the writer's fault, and its batch is not acked, indexed or dead-lettered."""

    def fail(_batch: Batch[Item]) -> Batch[TicketPoints | Rejected]:
        raise error

    index, letters = FakeIndex(), FakeDeadLetters()
    run = Run(index, letters, finish=fail)
    run.writer.submit(Batch((record(),), receipt("r1")))
    run.wait(lambda: run.writer.fault is not None)
    run.writer.close()
    assert run.writer.fault is error
    assert (run.acks, index.calls, letters.calls) == ([], 0, 0)


def test_an_outage_shows_in_metrics_and_readiness() -> None:
    """The metrics and the readiness reason show an outage until the index answers again."""
    out = [True]
    index = FakeIndex(lambda _call: TransientError("index out") if out[0] else None)
    run = Run(index, FakeDeadLetters())
    run.writer.submit(Batch((points("1"),), receipt("r1")))
    run.wait(lambda: run.progress.outage == "index: index out; one batch probes it, the others wait")
    assert run.sample("tickets_circuit_state", dependency="index") in {1, 2}
    assert run.sample("tickets_circuit_state", dependency="dead_letters") == 0
    out[0] = False
    run.wait(lambda: run.acks == [receipt("r1")])
    run.writer.close()
    assert run.progress.outage is None
    assert run.sample("tickets_circuit_state", dependency="index") == 0
    assert run.sample("tickets_write_concurrency_limit", dependency="index") == 2
