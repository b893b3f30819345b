"""No server outlives the test run that started it, not even one that is killed."""

import subprocess


def guard(pid: int) -> "subprocess.Popen[bytes]":
    """A process that sends SIGKILL to `pid` when this one ends, however it ends; kill it when `pid` has ended."""
    # Its standard input ends with us.
    return subprocess.Popen(
        ["sh", "-c", 'read -r _; kill -9 "$0"', str(pid)], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
