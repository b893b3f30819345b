"""Ack after effect: what the writer promises whatever the world does."""

import threading
import time
from collections.abc import Callable
from random import Random
from typing import Any

from core.errors import FatalError, TransientError
from core.ports import DeadLetters, Index
from core.records import Batch, Rejected
from core.settings import WriterSettings
from tests.fakes import FakeDeadLetters, FakeIndex, points, record
from worker.progress import Progress
from worker.telemetry import Telemetry
from worker.writer import Writer

SETTINGS = WriterSettings(backoff_base_s=0.001, backoff_max_s=0.002, concurrency=2)
BAD = Rejected(record(1), "decode", "bad_json", "reason")


class _Run:
    def __init__(self, index: Index, dead_letters: DeadLetters, kind: type[Writer] = Writer) -> None:
        self.acks: list[Any] = []
        self.telemetry = Telemetry()
        self.progress = Progress(max_stall_s=60)
        self.writer = kind(
            finish=lambda batch: batch,
            index=index,
            dead_letters=dead_letters,
            ack=self.acks.append,
            settings=SETTINGS,
            telemetry=self.telemetry,
            progress=self.progress,
            rng=Random(1),
        )

    def wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 5
        while not done():
            assert time.monotonic() < deadline, "nothing happened"
            time.sleep(0.001)

    def sample(self, name: str, **labels: str) -> float | None:
        return self.telemetry.registry.get_sample_value(name, labels)


def test_a_batch_is_acked_once_all_of_it_is_durable() -> None:
    """Points are in the index and rejected ones in the dead letters before the ack."""
    index, letters = FakeIndex(), FakeDeadLetters()
    run = _Run(index, letters)
    run.writer.submit(Batch((points("1"), BAD, points("2")), "r1"))
    run.wait(lambda: run.acks == ["r1"])
    run.writer.close()
    assert set(index.versions) == {("acme", "1"), ("acme", "2")}
    assert letters.letters == [BAD]
    assert run.sample("tickets_acked_total", outcome="indexed") == 2
    assert run.sample("tickets_rejected_total", stage="decode", reason="bad_json") == 1


def _early_ack_is_caught(kind: type[Writer]) -> bool:
    """True when a failing index leaves a batch unacked, as it must."""
    run = _Run(FakeIndex(lambda _call: FatalError("gone")), FakeDeadLetters(), kind)
    run.writer.submit(Batch((points(),), "r1"))
    run.writer.close()
    return run.acks == [] and isinstance(run.writer.fault, FatalError)


def test_nothing_is_acked_that_is_not_indexed() -> None:
    """A fault no retry can mend leaves the batch unacked and is told to the poll loop."""
    assert _early_ack_is_caught(Writer)


def test_the_check_catches_an_ack_before_the_write() -> None:
    """The mutant: acking first looks the same until the index fails."""

    class AckFirst(Writer):
        def _run(self, batch: Any) -> None:
            self._ack(batch.receipt)
            super()._run(batch)

    assert not _early_ack_is_caught(AckFirst)


def test_an_outage_is_waited_out_and_nothing_is_dead_lettered() -> None:
    """Three failures, then success: one ack, three counted retries, no letter."""
    index = FakeIndex(lambda call: TransientError("index out") if call <= 3 else None)
    letters = FakeDeadLetters()
    run = _Run(index, letters)
    run.writer.submit(Batch((points(),), "r1"))
    run.wait(lambda: run.acks == ["r1"])
    run.writer.close()
    assert letters.letters == []
    assert run.sample("tickets_retries_total", target="index") == 3
    assert run.progress.outage is None


def test_an_outage_of_the_dead_letter_topic_holds_the_batch_back() -> None:
    """A rejected record is as precious as an indexed one."""
    letters = FakeDeadLetters(lambda call: TransientError("broker out") if call <= 2 else None)
    run = _Run(FakeIndex(), letters)
    run.writer.submit(Batch((BAD,), "r1"))
    run.wait(lambda: run.acks == ["r1"])
    run.writer.close()
    assert letters.letters == [BAD]


def test_close_during_an_outage_gives_the_batch_up_unacked() -> None:
    """A worker that is stopped while the index is out ends, and its batch is read again by the next."""
    run = _Run(FakeIndex(lambda _call: TransientError("index out")), FakeDeadLetters())
    run.writer.submit(Batch((points(),), "r1"))
    run.wait(lambda: run.progress.outage is not None)
    run.writer.close()
    assert run.acks == []
    assert run.writer.fault is None


def test_batches_are_written_side_by_side() -> None:
    """With two slots, two writes are in flight at once: each waits for the other."""
    both = threading.Barrier(2, timeout=5)

    class Meeting(FakeIndex):
        def write(self, tickets: Any) -> None:
            both.wait()
            super().write(tickets)

    run = _Run(Meeting(), FakeDeadLetters())
    run.writer.submit(Batch((points("1"),), "r1"))
    run.writer.submit(Batch((points("2"),), "r2"))
    run.wait(lambda: len(run.acks) == 2)
    run.writer.close()
    assert run.writer.fault is None
