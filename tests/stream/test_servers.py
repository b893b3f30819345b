"""The health server of a worker in trouble, over a socket."""

import json
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack
from typing import cast

import pytest

from core.errors import FatalError, TransientError
from core.records import Batch, Item, Rejected, TicketPoints
from core.settings import WriterSettings
from core.telemetry_settings import HealthSettings
from delivery import gate
from delivery.credits import Credits
from stream.integrity import Integrity
from stream.progress import Progress
from stream.servers import WorkerState, serve_health
from stream.sinks import INDEX, OpenSink
from stream.telemetry import ConsumerTelemetry, StreamTelemetry
from stream.writer import Writer
from tests.fakes import FakeDeadLetters, FakeIndex, dependencies, points, receipt
from tests.rigs.waiting import PATIENCE_S, wait_until
from tests.stream.runs import Finish


class _Worker:
    """A writer with its health server and a clock that the test sets. It has a partition."""

    def __init__(self, finish: Finish[TicketPoints] | None = None, index: FakeIndex | None = None) -> None:
        self.now = 0.0
        self.telemetry = StreamTelemetry()
        self.progress = Progress(max_stall_s=60, clock=lambda: self.now)
        observer = ConsumerTelemetry(self.telemetry, topic="tickets.raw", on_poll=self.progress.polled)
        observer.rebalanced("assign", 1)
        self.credits = Credits(tickets=10, bytes_=10)
        self.integrity = Integrity(self.telemetry)
        state = WorkerState(
            telemetry=self.telemetry,
            progress=self.progress,
            credits=self.credits,
            observer=observer,
            integrity=self.integrity,
        )
        self._stack = ExitStack()
        self.server = serve_health(HealthSettings(), state, self._stack, port=0)
        settings = WriterSettings(backoff_max_s=0.002)
        self.writer: Writer[TicketPoints] = Writer(
            finish=finish or (lambda batch: cast("Batch[TicketPoints | Rejected]", batch)),
            sinks=[OpenSink(INDEX, index or FakeIndex())],
            dead_letters=FakeDeadLetters(),
            dependencies=dependencies(settings, self.telemetry, self.progress),
            ack=lambda _receipt: None,
            settings=settings,
            telemetry=self.telemetry,
            progress=self.progress,
        )

    def ask(self, path: str) -> tuple[int, str | None]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.server.port}{path}", timeout=PATIENCE_S) as response:
                return response.status, json.load(response).get("reason")
        except urllib.error.HTTPError as error:
            return error.code, json.load(error).get("reason")

    def close(self) -> None:
        self.writer.close()
        self._stack.close()


def test_a_model_that_hangs_fails_the_liveness_probe() -> None:
    """A hung model fails /health after `max_stall_s`, even while polls continue."""
    begun, end = threading.Event(), threading.Event()

    def hang(_batch: Batch[Item]) -> Batch[TicketPoints | Rejected]:
        begun.set()
        end.wait()
        raise FatalError("the test has ended")

    worker = _Worker(hang)
    worker.writer.submit(Batch((points(),), receipt("r1")))
    begun.wait()
    worker.now = 59
    worker.progress.polled()
    assert worker.ask("/health") == (200, None)
    worker.now = 61
    worker.progress.polled()
    assert worker.ask("/health") == (503, "work in flight has made no progress for 61 s")
    end.set()
    worker.close()


def test_an_outage_fails_readiness_with_its_reason_and_leaves_liveness_alone() -> None:
    """An outage of the index fails /ready with its reason, and not /health: a restart would not help."""
    tries = threading.Semaphore(0)

    def out(_call: int) -> TransientError:
        tries.release()
        return TransientError("index out")

    worker = _Worker(index=FakeIndex(out))
    worker.writer.submit(Batch((points(),), receipt("r1")))
    for worker.now in range(0, 200, 10):
        for _ in range(3):  # at least one whole try since the clock moved
            assert tries.acquire(timeout=PATIENCE_S)
        worker.progress.polled()
        assert worker.ask("/health") == (200, None)
    assert worker.ask("/ready") == (503, "index: index out; one batch probes it, the others wait")
    worker.close()


def test_a_wait_for_retry_after_is_not_a_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that waits for a Retry-After as long as `max_stall_s` does not fail /health."""
    monkeypatch.setattr(gate, "_HEARTBEAT_S", 0.005)
    worker = _Worker(index=FakeIndex(lambda _call: TransientError("busy", retry_after_s=60)))
    worker.writer.submit(Batch((points(),), receipt("r1")))
    wait_until(lambda: worker.progress.outage is not None)
    for worker.now in range(0, 200, 50):
        worker.progress.polled()
        wait_until(lambda: worker.progress._moved == worker.now)
        assert worker.ask("/health") == (200, None)
    worker.close()
