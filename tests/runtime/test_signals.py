"""The exit code of a service or an archiver is 0 when signals arrive during the interpreter's shutdown."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

#: An object that is destroyed late in the shutdown, when handlers no longer run, sends the signal.
_LATE: Final = """
import os, signal
from runtime.signals import stop_on_signal
from tests.faults.mutate import mutate

class Late:
    def __del__(self, kill=os.kill, pid=os.getpid(), number=signal.{name}):
        kill(pid, number)

mutate()
stop = stop_on_signal()
os.kill(os.getpid(), signal.{name})
assert stop.wait(5)
late = Late()
"""


def _exit_code(name: str, mutant: str = os.environ.get("TICKETS_TEST_MUTANT", "")) -> int:
    command = [sys.executable, "-c", _LATE.format(name=name)]
    environment = {"PYTHONPATH": str(Path.cwd()), "TICKETS_TEST_MUTANT": mutant}
    return subprocess.run(command, env=environment, timeout=60, check=False).returncode


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_late_in_the_end_changes_no_exit_code(name: str) -> None:
    """A process that was asked to stop exits with 0, although another signal arrives while the interpreter ends."""
    assert _exit_code(name) == 0


def test_an_end_that_leaves_the_handlers_is_caught() -> None:
    """The mutant is killed by the late signal, because the interpreter has restored the default action."""
    assert _exit_code("SIGTERM", "leave_the_handlers") == -15
