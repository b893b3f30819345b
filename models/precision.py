"""Which numbers a graph is computed in, and which suit this machine."""

import platform
from pathlib import Path
from typing import Final, Literal

from core.errors import ConfigError
from models.device import Device

Precision = Literal["fp32", "int8", "fp16"]

_CPU_INFO: Final = Path("/proc/cpuinfo")
#: Flags of x86 CPUs that multiply bytes as fast as the static int8 graph needs (VNNI).
_VNNI: Final = frozenset({"avx512_vnni", "avx_vnni"})
#: Where a graph is fast; fp32 runs anywhere.
_MADE_FOR: Final[dict[Precision, Device]] = {"int8": "cpu", "fp16": "cuda"}


def choose(setting: Literal["auto", "fp32", "int8", "fp16"], device: Device) -> Precision:
    """The setting, or for `auto` fp16 on a GPU, int8 on a CPU with VNNI (without it is no faster), and else fp32."""
    if setting != "auto":
        return setting
    if device == "cuda":
        return "fp16"
    return "int8" if has_vnni() else "fp32"


def require_suited(precision: Precision, device: Device) -> None:
    """Raises ConfigError for a graph that the device would run slower than another."""
    if _MADE_FOR.get(precision, device) != device:
        better = choose("auto", device)
        raise ConfigError(
            f"TICKETS_MODEL__PRECISION: {precision} is not for {device}; choose {better}, or leave it at auto"
        )


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
