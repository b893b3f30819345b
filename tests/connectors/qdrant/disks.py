"""Full disks for tests: a small real file system, and a fake report of free space."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

MIB: Final = 1024 * 1024


@contextmanager
def small_disk(folder: Path, *, mib: int) -> Iterator[Path]:
    """Mount a tmpfs of this size at the new folder `folder`; skip the test if that isn't permitted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0700", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def free_mib(folder: Path) -> float:
    """Free space of the folder's file system, in MiB."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize / MIB


def fill(folder: Path, *, leave_mib: float) -> Path:
    """Write a file until only `left_mib` is free, and return it; delete it to free the space."""
    file = folder / "filler"
    with file.open("ab", buffering=0) as filler:
        while (left := free_mib(folder) - leave_mib) > 0:
            filler.write(b"x" * int(min(1, left) * MIB + 1))
    return file


class ReportedDisk:
    """Replaces the system's report of free space."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.free_mib = 100_000.0
        self.inodes = 100_000
        real = os.statvfs

        def report(path: Path) -> os.statvfs_result:
            found = list(real(path))
            found[1], found[4], found[5], found[7] = 1024, int(self.free_mib * 1024), 1_000_000, self.inodes
            return os.statvfs_result(found)

        patch.setattr(os, "statvfs", report)
