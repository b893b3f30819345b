"""The workers of an attack: starting, killing and stopping them, their memory, and their acks."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import uuid4

from tests.e2e.world import COMMANDS, Runner, WorkerProcess, World
from tests.faults.oracle import require
from tests.faults.recorder import read_acks
from tests.faults.report import Section
from tests.rigs.calm import calm_clock

#: Limit of a wait, in calm seconds; far longer than any promise.
PATIENCE_S: Final = 60.0
LOOK_S: Final = 0.1
#: MiB that a worker may take at most.
CAP_MIB: Final = 450
_GLANCE_S: Final = 0.01
#: Limit of a shutdown, in calm seconds, in 99 of 100.
DRAIN_S: Final = 10.0


class Crowd:
    """The workers of one world.

    Attributes:
        workers: those that should be running.
        drains_s: duration of each shutdown, in calm seconds.
        peak_rss_mib: the most memory that any worker has held.
    """

    def __init__(
        self,
        world: World,
        section: Section,
        *,
        runner: Runner,
        environment: Mapping[str, str],
        special: bool,
        record: bool,
    ) -> None:
        """`special`: start workers through `tests.faults.run`. `record`: let them record their acks."""
        self.world = world
        self.section = section
        self.workers: list[WorkerProcess] = []
        self.peak_rss_mib = 0.0
        self.drains_s: list[float] = []
        self._runner = runner
        self._special = special
        self._environment = dict(environment)
        self._record = record
        self._acks: list[Path] = []
        self._started: list[WorkerProcess] = []

    def new_group(self) -> None:
        """Let workers that start from now on read the log again, as another group."""
        kafka = self.world.settings.kafka
        kafka = kafka.model_copy(update={"group": f"{kafka.group}-again"})
        self.world.settings = self.world.settings.model_copy(update={"kafka": kafka})

    def end(self) -> None:
        """Kill all workers."""
        for worker in self.workers:
            worker.signal(signal.SIGKILL)
        for worker in self.workers:
            worker.wait()

    def start(self, **settings: str) -> WorkerProcess:
        """Start one more worker, with these settings in addition."""
        environment = self._environment | {f"TICKETS_{name}": value for name, value in settings.items()}
        if self._record:
            self._acks.append(self.world.folder / f"acks-{uuid4().hex[:8]}")
            self._acks[-1].touch()
            environment["TICKETS_TEST_ACKS"] = str(self._acks[-1])
        command = [sys.executable, "-m", "tests.faults.run", self._runner] if self._special else COMMANDS[self._runner]
        worker = WorkerProcess(self.world, environment=environment, command=command)
        self.workers.append(worker)
        self._started.append(worker)
        return worker

    def run(
        self, *arguments: str, code: int = 0, promise: str = "harness", **settings: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run `tests.faults.run` with these arguments and a worker's settings, to its end.

        Raises:
            BrokenError: it ended with another code, which breaks `promise`.
        """
        command = [sys.executable, "-m", "tests.faults.run", *arguments]
        environment = self._environment | {f"TICKETS_{name}": value for name, value in settings.items()}
        done = subprocess.run(
            command,
            env=self.world.environment(**environment),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        require(promise, done.returncode == code, f"it ended with {done.returncode}: {done.stderr[-1_500:]}")
        return done

    def kill(self, worker: WorkerProcess) -> None:
        """Kill a worker by SIGKILL."""
        self.record_peak_memory(worker)
        worker.kill()
        self.workers.remove(worker)

    def terminate(self, worker: WorkerProcess, *, at_most_s: float = PATIENCE_S) -> float:
        """Stop a worker by SIGTERM; returns the calm seconds it took.

        Raises:
            BrokenError: it took longer than `at_most_s`, or exited with another code than 0.
        """
        self.record_peak_memory(worker)
        began = calm_clock()
        worker.signal(signal.SIGTERM)
        while worker.running:
            ends = calm_clock() - began < at_most_s
            require("P9", ends, f"SIGTERM didn't end it in {at_most_s:.0f} s\n{worker.output()[-1500:]}")
            time.sleep(_GLANCE_S)
        took, code = calm_clock() - began, worker.wait()
        self.drains_s.append(took)
        self.workers.remove(worker)
        require("P9", code == 0, f"after SIGTERM it exited with {code}: {worker.output()[-1500:]}")
        return took

    def await_death(self, worker: WorkerProcess) -> None:
        """Wait until the armed failpoint has killed `worker`."""
        began = calm_clock()
        while worker.running:
            assert calm_clock() - began < PATIENCE_S, "the armed failpoint was never hit"
            time.sleep(LOOK_S)
        self.workers.remove(worker)

    def record_peak_memory(self, worker: WorkerProcess) -> float:
        """The most memory that `worker` has held so far, in MiB; also updates `peak_rss_mib`."""
        peak = peak_rss_mib(worker.pid)
        self.peak_rss_mib = max(self.peak_rss_mib, peak)
        return peak

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric over the workers."""
        return sum(worker.metric(name, **labels) for worker in self.workers)

    def duplicates(self) -> tuple[int, int]:
        """The number of repeated acks, and of acked records. Needs `record`."""
        counted = read_acks(self._acks)
        return sum(counted.values()) - len(counted), len(counted)

    def timeline(self, *, most: int = 100) -> str:
        """The last lines of all workers' logs, ordered by time."""
        lines = sorted(
            f"{line['time'][11:23]} {worker.pid} {line['message']}"
            for worker in self._started
            for line in map(json.loads, filter(_is_json, worker.output().splitlines()))
        )
        return "\n".join(lines[-most:])

    def acked(self) -> int:
        """The number of acked records. Needs `record`."""
        return len(read_acks(self._acks))

    def _words(self) -> str:
        return "\n".join(worker.output()[-1500:] for worker in self.workers)


def _is_json(line: str) -> bool:
    return line.startswith("{") and line.endswith("}")  # the last line of a killed worker may be cut off


def peak_rss_mib(pid: int) -> float:
    """The kernel's high-water mark of a process's memory, in MiB; 0 if the process is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    lines = (line.split() for line in status.splitlines())
    return next((int(words[1]) / 1024 for words in lines if words and words[0] == "VmHWM:"), 0.0)
