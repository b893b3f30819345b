"""A guarded process ends with its starter, and not before."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.rigs.waiting import wait_until


def test_a_guarded_process_ends_with_its_starter() -> None:
    """A guarded process runs until its starter gets SIGKILL, and is then killed."""
    script = (
        "import subprocess, time; from tests.rigs.guard import guard\n"
        "process = subprocess.Popen(['sleep', '3600']); held = guard(process.pid)\n"
        "print(process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        time.sleep(0.3)
        assert _runs(pid)
        starter.send_signal(signal.SIGKILL)
    wait_until(lambda: not _runs(pid), lambda: "it outlives its starter")


def _runs(pid: int) -> bool:
    """False for a zombie too, because init may not have reaped it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
