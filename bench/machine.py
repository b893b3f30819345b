"""Describes the machine and the packages of a measurement."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from msgspec import Struct

from core.cpu import Cpu, read_cpu

_PACKAGES: Final = ("onnxruntime", "bytewax", "qdrant-edge-py", "tokenizers", "sentence-transformers", "fastembed")


class Machine(Struct, frozen=True):
    """A machine and its installed packages."""

    commit: str
    cpu: str
    cores: int
    python: str
    versions: dict[str, str]
    flags: tuple[str, ...] = ()  # empty in rows that predate this field

    @property
    def hardware(self) -> str:
        """The CPU's name, its flags and its cores."""
        return f"{Cpu(self.cpu, self.flags, self.cores).kind}, {self.cores} cores"


def this_machine() -> Machine:
    """The machine of this process."""
    cpu = read_cpu()
    return Machine(_commit(), cpu.name, cpu.cores, platform.python_version(), _versions(), cpu.flags)


def _commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)  # noqa: S607 - git, wherever it is
    return done.stdout.strip() or "unknown"


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
