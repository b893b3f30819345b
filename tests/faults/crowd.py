"""The workers of an attack: started, killed, frozen, ended, weighed, and what they acked."""

import json
import signal
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

#: A busy machine is slow; nothing that is kept is kept by a narrow margin of this.
PATIENCE_S: Final = 60.0
LOOK_S: Final = 0.1
_GLANCE_S: Final = 0.01
#: An orderly end takes no longer, in 99 of 100.
DRAIN_S: Final = 10.0


class Crowd:
    """Workers of one world.

    Attributes:
        workers: those that are to run now.
        drains_s: seconds of each orderly end.
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
        """`special`: they are started by `tests.faults.run`; `record`: they write down what they ack."""
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

    def end(self) -> None:
        """SIGKILL to all that still run."""
        for worker in self.workers:
            worker.signal(signal.SIGKILL)
        for worker in self.workers:
            worker.wait()

    def start(self, **settings: str) -> WorkerProcess:
        """One more worker, from now."""
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

    def kill(self, worker: WorkerProcess) -> None:
        """SIGKILL."""
        self.weigh(worker)
        worker.kill()
        self.workers.remove(worker)

    def terminate(self, worker: WorkerProcess, *, at_most_s: float = PATIENCE_S) -> float:
        """SIGTERM; seconds to its end, which must be an orderly one."""
        self.weigh(worker)
        began = calm_clock()
        worker.signal(signal.SIGTERM)
        while worker.running:
            ends = calm_clock() - began < at_most_s
            require("P9", ends, f"SIGTERM has not ended it in {at_most_s:.0f} s\n{worker.words()[-1500:]}")
            time.sleep(_GLANCE_S)
        took, code = calm_clock() - began, worker.wait()
        self.drains_s.append(took)
        self.workers.remove(worker)
        require("P9", code == 0, f"SIGTERM ended with {code}: {worker.words()[-1500:]}")
        return took

    def await_death(self, worker: WorkerProcess) -> None:
        """Wait until `worker` has died of what was armed in it."""
        began = calm_clock()
        while worker.running:
            assert calm_clock() - began < PATIENCE_S, "what was armed never happened"
            time.sleep(LOOK_S)
        self.workers.remove(worker)

    def weigh(self, worker: WorkerProcess) -> float:
        """The most memory `worker` has held so far, in MiB; noted as the arena's where it is more than before."""
        peak = peak_rss_mib(worker.pid)
        self.peak_rss_mib = max(self.peak_rss_mib, peak)
        return peak

    def metric(self, name: str, **labels: str) -> float:
        """Sum over the workers."""
        return sum(worker.metric(name, **labels) for worker in self.workers)

    def duplicates(self) -> tuple[int, int]:
        """Effects made again, and records: needs `record`."""
        counted = read_acks(self._acks)
        return sum(counted.values()) - len(counted), len(counted)

    def timeline(self, *, most: int = 100) -> str:
        """The last lines of all workers' logs, in the order of their times."""
        lines = sorted(
            f"{line['time'][11:23]} {worker.pid} {line['message']}"
            for worker in self._started
            for line in map(json.loads, filter(_is_json, worker.words().splitlines()))
        )
        return "\n".join(lines[-most:])

    def acked(self) -> int:
        """Different records whose effect is durable: needs `record`."""
        return len(read_acks(self._acks))

    def _words(self) -> str:
        return "\n".join(worker.words()[-1500:] for worker in self.workers)


def _is_json(line: str) -> bool:
    return line.startswith("{") and line.endswith("}")  # one that was killed may have stopped in mid-line


def peak_rss_mib(pid: int) -> float:
    """The kernel's high-water mark; 0 for a process that has gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    lines = (line.split() for line in status.splitlines())
    return next((int(words[1]) / 1024 for words in lines if words and words[0] == "VmHWM:"), 0.0)
