"""The protocol between the runner and a contender's process: JSON on standard input and output."""

import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import msgspec
from msgspec import Struct

from bench.corpus import NoCorpusError


class Job(Struct, frozen=True):
    """One run of one contender.

    Attributes:
        tickets: number of tickets, or of texts if the corpus has no tickets.
        speed: speed of the suite's reference in this round, per second; 0 before it has run.
    """

    contender: str
    tickets: int
    corpus: str = "synthetic"
    speed: float = 0.0


class Measured(Struct, frozen=True):
    """The result of a run. `tokens` is 0 if they were not counted; `rss_mib` is the peak of the process.

    Attributes:
        figures: further figures of the suite, by name (`bench.suite.Figure`).
    """

    tickets: int
    texts: int
    tokens: int
    seconds: float
    cpu_seconds: float
    rss_mib: int
    figures: dict[str, float] = {}


class Skipped(Exception):  # noqa: N818 - no error: a library is not installed, a file not there
    """The reason why a contender can't run here."""


class Clock:
    """Wall and CPU seconds of this process, between `start` and `stop`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self.running = False
        self._began = (0.0, 0.0)

    def start(self) -> None:
        """Start the clock."""
        self.running = True
        self._began = (time.perf_counter(), time.process_time())

    def stop(self) -> None:
        """Stop the clock."""
        self.running = False
        self.seconds = time.perf_counter() - self._began[0]
        self.cpu_seconds = time.process_time() - self._began[1]

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Time the block."""
        self.start()
        yield
        self.stop()

    def measured(self, *, tickets: int, texts: int = 0, tokens: int = 0) -> Measured:
        """The result, with the times of this clock."""
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        return Measured(tickets, texts, tokens, round(self.seconds, 4), round(self.cpu_seconds, 4), rss)


Contender = Callable[[Job], Measured]


def answer(contenders: Mapping[str, Contender]) -> None:
    """Read the job, run it, and print the result: the main function of a contender's process."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    try:
        row: object = contenders[job.contender](job)
    except (Skipped, NoCorpusError) as reason:
        row = str(reason)
    print(msgspec.json.encode(row).decode())
