"""Runs a worker in a process of its own that reports its progress in JSON lines on standard output.

It writes a line when it has partitions, when its count of acked tickets changes, and when it has stopped. It stops at
the end of its standard input.
"""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Self

import msgspec
from msgspec import Struct

from core.environment import load_settings
from core.records import EnrichedTicket, Record, TicketPoints
from stream.pipeline import Pipeline
from stream.telemetry import StreamObserver

_TELL_S: Final = 0.02
_PATIENCE_S: Final = 600.0


class Report(Struct, frozen=True):
    """The report of a task at its end. Times are seconds since 1970.

    Attributes:
        first: when it read its first record.
        last: when it acked its last record.
        acks: for each ticket the time in its event and the time of its ack, in milliseconds.
    """

    first: float
    last: float
    acks: list[tuple[float, float]]
    tokens: int
    cpu_seconds: float
    rss_mib: int


class Task:
    """A running worker: the whole pipeline or one role of it, with its environment and cores."""

    def __init__(self, cores: Sequence[int], environment: dict[str, str], *, role: str = "pipeline") -> None:
        self.acked = 0
        self._joined = threading.Event()
        self._report: Report | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.task", role, *map(str, cores)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment},
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def wait_joined(self) -> None:
        """Wait until the worker has partitions."""
        _wait(self._joined.is_set, [self])

    def wait_acked(self, tickets: int) -> None:
        """Wait until `tickets` tickets are acked."""
        wait_all_acked([self], tickets)

    def stop(self) -> Report:
        """Drain the worker, and return its report."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._listener.join(_PATIENCE_S)
        self._process.wait(_PATIENCE_S)
        if self._report is None:
            raise RuntimeError("the worker ended without a report")
        return self._report

    def kill(self) -> None:
        """Send SIGKILL, unless it has ended."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = msgspec.json.decode(line)
            if "report" in said:
                self._report = msgspec.convert(said["report"], Report)
            elif "joined" in said:
                self._joined.set()
            else:
                self.acked = said["acked"]

    def check(self) -> None:
        """Raise RuntimeError if the worker has ended."""
        if self._process.poll() is not None:
            raise RuntimeError(f"the worker ended with {self._process.returncode}")


def wait_all_acked(tasks: Sequence[Task], tickets: int) -> None:
    """Wait until the tasks have acked `tickets` tickets in total."""
    _wait(lambda: sum(task.acked for task in tasks) >= tickets, tasks)


def _wait(until: Callable[[], bool], tasks: Sequence[Task]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not until():
        for task in tasks:
            task.check()
        if time.monotonic() > deadline:
            raise RuntimeError("the worker makes no progress")
        time.sleep(_TELL_S)


class _AckRecorder(StreamObserver):
    """Records which tickets were acked, and when."""

    def __init__(self, tell: Callable[[object], None]) -> None:
        self.acks: list[tuple[float, float]] = []
        self.first = self.last = 0.0
        self._tell = tell
        self._told = 0

    def assigned(self, partitions: int) -> None:
        if partitions:
            self._tell({"joined": True})

    def read(self, records: Sequence[Record]) -> None:
        del records
        self.first = self.first or time.time()

    def acked(self, tickets: Sequence[EnrichedTicket | TicketPoints]) -> None:
        self.last = time.time()
        times = [ticket.event_ms if isinstance(ticket, TicketPoints) else None for ticket in tickets]
        self.acks += [(float(event_ms or 0), self.last * 1000) for event_ms in times]

    def say(self) -> None:
        if (acked := len(self.acks)) > self._told:
            self._told = acked
            self._tell({"acked": acked})


def main(role: str, cores: Sequence[int]) -> None:
    """Run a pipeline until standard input ends."""
    # Before the affinity is set: on a single core ONNX Runtime disables AMX.
    import onnxruntime  # noqa: F401, PLC0415

    os.sched_setaffinity(0, cores)  # before the model counts its cores
    from stream import compose  # noqa: PLC0415 - the clients that it imports start threads, which follow the affinity
    from stream.loop import run  # noqa: PLC0415

    opens = {
        "pipeline": compose.open_pipeline,
        "enrichment": compose.open_enrichment,
        "embedding": compose.open_embedding,
    }
    tell = _teller()
    recorder = _AckRecorder(tell)
    pipeline = opens[role](load_settings(), observer=recorder)
    for target in (partial(_report_acks, pipeline, recorder), partial(_stop_at_end_of_input, pipeline)):
        threading.Thread(target=target, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    began = time.process_time()
    run(pipeline)
    tokens = pipeline.telemetry.registry.get_sample_value("tickets_model_tokens_total") or 0.0
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    cpu_s = time.process_time() - began
    tell({"report": Report(recorder.first, recorder.last, recorder.acks, int(tokens), cpu_s, rss)})


def _teller() -> Callable[[object], None]:
    """A thread-safe function that writes a line of JSON to standard output."""
    lock = threading.Lock()

    def tell(said: object) -> None:
        with lock, contextlib.suppress(BrokenPipeError):
            sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
            sys.stdout.flush()

    return tell


def _report_acks(pipeline: Pipeline, recorder: _AckRecorder) -> None:
    while not pipeline.finished:
        recorder.say()
        time.sleep(_TELL_S)


def _stop_at_end_of_input(pipeline: Pipeline) -> None:
    sys.stdin.read()
    pipeline.stop()


if __name__ == "__main__":
    main(sys.argv[1], [int(core) for core in sys.argv[2:]])
