"""Kills servers when the test run that started them ends, even by SIGKILL."""

import subprocess


def guard(pid: int) -> "subprocess.Popen[bytes]":
    """Start a process that sends SIGKILL to `pid` when this one ends. The caller kills it once `pid` has ended."""
    # Its standard input is closed when this process ends.
    return subprocess.Popen(
        ["sh", "-c", 'read -r _; kill -9 "$0"', str(pid)], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
