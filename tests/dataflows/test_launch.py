"""A worker's exit code is 0 when signals arrive during its start, or during the interpreter's shutdown."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

#: Opens an idle pipeline. An object that is destroyed late in the shutdown, when handlers no longer run, sends the
#: signal.
_LATE: Final = """
import os, signal
from dataflows import launch
from tests.faults.mutate import mutate

class Pipeline:
    fault, hangs = None, False

    def stop(self):
        pass

class Late:
    def __del__(self, kill=os.kill, pid=os.getpid(), number=signal.{name}):
        kill(pid, number)

mutate()
launch.load_settings = lambda: launch.Settings()
launch.launch(lambda _settings: Pipeline())
late = Late()
"""

#: Sends the signal while the pipeline is being opened, and would go on with the start.
_EARLY: Final = """
import os, signal, time
from dataflows import launch
from tests.faults.mutate import mutate

def start(_settings):
    os.kill(os.getpid(), signal.{name})
    time.sleep(0.1)
    os._exit(7)

mutate()
launch.load_settings = lambda: launch.Settings()
launch.launch(start)
"""


def _exit_code(name: str, mutant: str = os.environ.get("TICKETS_TEST_MUTANT", ""), *, program: str = _LATE) -> int:
    command = [sys.executable, "-c", program.format(name=name)]
    environment = {"PYTHONPATH": str(Path.cwd()), "TICKETS_TEST_MUTANT": mutant}
    return subprocess.run(command, env=environment, timeout=60, check=False).returncode


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_late_in_the_end_changes_no_exit_code(name: str) -> None:
    """A worker that has drained exits with 0, although another signal arrives while the interpreter shuts down."""
    assert _exit_code(name) == 0


def test_an_end_that_leaves_the_handlers_is_caught() -> None:
    """The mutant is killed by the late signal, because the interpreter has restored the default action."""
    assert _exit_code("SIGTERM", "leave_the_handlers") == -15


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_during_the_start_ends_it(name: str) -> None:
    """A worker that is being opened exits with 0; as process 1 of a container it would otherwise ignore SIGTERM."""
    assert _exit_code(name, program=_EARLY) == 0


def test_a_start_without_handlers_is_caught() -> None:
    """The mutant is killed by the signal."""
    assert _exit_code("SIGTERM", "start_without_handlers", program=_EARLY) == -15
