"""Where and with what a row was measured."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from msgspec import Struct

_PACKAGES: Final = ("onnxruntime", "bytewax", "qdrant-edge-py", "tokenizers", "sentence-transformers", "fastembed")
_CPU_INFO: Final = Path("/proc/cpuinfo")


class Machine(Struct, frozen=True):
    """A machine and what is installed on it."""

    commit: str
    cpu: str
    cores: int
    python: str
    versions: dict[str, str]


def this_machine() -> Machine:
    """What this process runs on."""
    return Machine(_commit(), _cpu(), len(os.sched_getaffinity(0)), platform.python_version(), _versions())


def _commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)  # noqa: S607 - git, wherever it is
    return done.stdout.strip() or "unknown"


def _cpu() -> str:
    lines = _CPU_INFO.read_text().splitlines() if _CPU_INFO.exists() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return name or platform.machine()


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
