"""A facade in a separate process, which can be killed, paused and restarted over the same folder."""

import os
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
    """The line that the process prints on standard output once it serves."""

    port: int
    control: int


class FacadeProcess:
    """Serves from construction to `close`. A restart keeps the port and the URL, and drops the faults."""

    def __init__(
        self, folder: Path, *, port: int = 0, api_key: str | None = None, tls: tuple[Path, Path] | None = None
    ) -> None:
        self._folder = folder
        self._api_key = api_key
        self._tls = tls
        self.port = port
        self._start()

    @property
    def url(self) -> str:
        """Value for TICKETS_INDEX__URL."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def inject(self, *faults: Fault) -> None:
        """Add `faults`. A call is hit by the first that applies."""
        tell(self._control, Command("inject", faults))

    def heal(self) -> None:
        """Remove all faults."""
        tell(self._control, Command("heal"))

    def counts(self) -> Counts:
        """Counts since it started."""
        return tell(self._control, Command("counts"))

    def kill(self) -> None:
        """Send SIGKILL. Every answered write is on disk."""
        self._process.kill()
        self._reap()

    def terminate(self) -> int:
        """Send SIGTERM and return the exit code."""
        self._process.terminate()
        return self._reap()

    def pause(self) -> None:
        """Send SIGSTOP: the kernel accepts connections, and the process no longer reads from them."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)  # a thread may still run until then

    def resume(self) -> None:
        """Send SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Start it again after `kill` or `terminate`, and wait until it serves."""
        assert self._process.poll() is not None, "it still runs"
        self._start()

    def close(self) -> None:
        """Kill the process. Idempotent."""
        if self._process.poll() is None:
            self.kill()

    def _start(self) -> None:
        command = [sys.executable, "-m", "tests.rigs.qdrant_facade", str(self._folder), "--port", str(self.port)]
        command += ["--api-key", self._api_key] if self._api_key else []
        command += ["--tls", *map(str, self._tls)] if self._tls else []
        # It ends when its standard input is closed, so it never outlives this process.
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
