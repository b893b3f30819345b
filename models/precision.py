"""Which numbers a graph is computed in, and which suit this machine."""

import platform
from pathlib import Path
from typing import Final, Literal

Precision = Literal["fp32", "int8"]

_CPU_INFO: Final = Path("/proc/cpuinfo")
#: Flags of x86 CPUs that multiply bytes as fast as the static int8 graph needs (VNNI).
_VNNI: Final = frozenset({"avx512_vnni", "avx_vnni"})


def choose(setting: Literal["auto", "fp32", "int8"]) -> Precision:
    """The setting, or for `auto` int8 where the CPU has VNNI: elsewhere it is no faster, and a little less exact."""
    if setting != "auto":
        return setting
    return "int8" if has_vnni() else "fp32"


def has_vnni(cpu_info: Path = _CPU_INFO) -> bool:
    """Whether this is an x86 CPU with VNNI, as Linux tells it; False where it doesn't."""
    if platform.machine() not in {"x86_64", "AMD64"}:
        return False
    try:
        text = cpu_info.read_text()
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return bool(_VNNI & set(flags.split()))
