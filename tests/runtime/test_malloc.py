"""The allocator's settings."""

import platform
import subprocess
import sys

import pytest

#: Threads that hold memory at once, each of which would get an arena of its own; each arena is a mapping of 64 MiB.
_COUNT = """
import ctypes, threading
from pathlib import Path
{call}
malloc = ctypes.CDLL(None).malloc
malloc.restype = ctypes.c_void_p
meet = threading.Barrier(12)

def hold():
    for _ in range(100):
        meet.wait()
        malloc(10_000)
    meet.wait()

threads = [threading.Thread(target=hold) for _ in range(12)]
for one in threads: one.start()
for one in threads: one.join()
sizes = [line.split()[0].split("-") for line in Path("/proc/self/maps").read_text().splitlines()]
print(sum(int(begin, 16) % 2**26 == 0 for begin, _end in sizes))
"""


def _arenas(call: str = "") -> int:
    command = [sys.executable, "-c", _COUNT.format(call=call)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has no arenas")
def test_threads_share_two_arenas() -> None:
    """Twelve threads share the main arena and one more; without the call they have many."""
    assert _arenas("from runtime.malloc import share_arenas; share_arenas()") <= 2 < _arenas()
