"""Processes of a local stream, each with its own log, which are monitored and drained by SIGTERM."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from core.errors import FatalError
from core.private import open_private

_STOP_S: Final = 30.0


class LocalProcess:
    """A Python process of ours, whose output is its log."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    def check(self) -> None:
        """Raise the process's error if it has ended.

        Raises:
            FatalError: with the last line of its log, and its exit code.
        """
        if self._process.poll() is None:
            return
        lines = self.log.read_text(errors="replace").strip().splitlines() or ["its log is empty"]
        fault = FatalError(f"{self.name} has ended: {lines[-1].removeprefix('ticketstream: ')}")
        fault.exit_code = self._process.returncode if self._process.returncode > 0 else fault.exit_code
        raise fault

    def stop(self) -> None:
        """Drain it; kill it if that takes too long. Idempotent."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()


def open_process(
    name: str, modules: Sequence[str], environment: Mapping[str, str], log: Path, stack: ExitStack
) -> LocalProcess:
    """Run `python -m MODULES…`, which `stack` stops. `name` begins its errors, for example "the worker"."""
    with open_private(log) as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *modules],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C stops this process only, which then drains the child by SIGTERM
        )
    opened = LocalProcess(name, process, log)
    stack.callback(opened.stop)
    return opened
