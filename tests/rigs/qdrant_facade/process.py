"""A facade in a process of its own, that can be killed, stopped and started again over the same folder."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from tests.rigs.qdrant_facade.control import Command, tell
from tests.rigs.qdrant_facade.faults import Counts, Fault
from tests.rigs.waiting import PATIENCE_S


class Ready(Struct, frozen=True):
    """What the process says on its standard output once it serves."""

    port: int
    control: int


class FacadeProcess:
    """Serves from construction to `close`. The port, and with it the URL, outlives a restart; faults don't."""

    def __init__(self, folder: Path, *, port: int = 0, api_key: str | None = None) -> None:
        self._folder = folder
        self._api_key = api_key
        self.port = port
        self._start()

    @property
    def url(self) -> str:
        """What TICKETS_INDEX__URL should be."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the process now."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def inject(self, *faults: Fault) -> None:
        """Add `faults` to those there are. A call meets the first that is due."""
        tell(self._control, Command("inject", faults))

    def heal(self) -> None:
        """Be a server in good health again."""
        tell(self._control, Command("heal"))

    def counts(self) -> Counts:
        """What it has seen since it started."""
        return tell(self._control, Command("counts"))

    def kill(self) -> None:
        """SIGKILL. What it had answered is on disk."""
        self._process.kill()
        self._reap()

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        self._process.terminate()
        return self._reap()

    def pause(self) -> None:
        """SIGSTOP: connections are accepted by the kernel, nobody reads."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Start it again after `kill` or `terminate`; returns when it serves."""
        assert self._process.poll() is not None, "it still runs"
        self._start()

    def close(self) -> None:
        """End it; twice is as good as once."""
        if self._process.poll() is None:
            self.kill()

    def _start(self) -> None:
        command = [sys.executable, "-m", "tests.rigs.qdrant_facade", str(self._folder), "--port", str(self.port)]
        command += ["--api-key", self._api_key] if self._api_key else []
        # It ends when its standard input does: however this process ends, it leaves none behind.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the facade ended with {self._process.wait(PATIENCE_S)} before it served"
        ready = msgspec.json.decode(line, type=Ready)
        self.port, self._control = ready.port, ready.control

    def _reap(self) -> int:
        code = self._process.wait(PATIENCE_S)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        return code
