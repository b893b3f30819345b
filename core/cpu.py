"""The properties of this machine's CPU on which a model's speed depends."""

import contextlib
import os
import platform
from pathlib import Path
from typing import Final

from msgspec import Struct

_CPU_INFO: Final = Path("/proc/cpuinfo")
#: Lines of the file that list instruction sets: on x86, on ARM.
_FLAGS_LINES: Final = ("flags", "Features")
#: Instruction sets by which ONNX Runtime chooses its kernels, as /proc/cpuinfo names them: x86, then ARM.
FLAGS: Final = (
    *("avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8", "amx_bf16"),
    *("asimddp", "i8mm", "bf16", "sve"),
)


class Cpu(Struct, frozen=True):
    """A kind of CPU, and the number of its cores that this process may use.

    Attributes:
        name: the model's name, or the architecture if the kernel gives no name.
        flags: those of `FLAGS` that it has, in their order.
        cores: cores that this process may run on.
    """

    name: str
    flags: tuple[str, ...]
    cores: int

    @property
    def kind(self) -> str:
        """Name and flags. Virtual CPUs of one name come with and without AMX, and differ in speed by almost half."""
        return f"{self.name} ({' '.join(self.flags)})" if self.flags else self.name


def read_cpu(cpu_info: Path = _CPU_INFO) -> Cpu:
    """This machine's CPU, according to `cpu_info`. Only Linux has that file; elsewhere the CPU has no flags."""
    lines: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in cpu_info.read_text().splitlines():
            key, _, value = line.partition(":")
            lines.setdefault(key.strip(), value.strip())
    found = {flag for line in _FLAGS_LINES for flag in lines.get(line, "").split()}
    name = lines.get("model name") or platform.machine()
    return Cpu(name, tuple(flag for flag in FLAGS if flag in found), len(os.sched_getaffinity(0)))
