"""Which numbers a graph is computed in, and which suit this machine."""

from typing import Final, Literal

from core.cpu import Cpu, read_cpu
from core.errors import ConfigError
from models.device import Device

Precision = Literal["fp32", "int8", "fp16"]

#: Flags of x86 CPUs that multiply bytes as fast as the static int8 graph needs (VNNI).
_VNNI: Final = frozenset({"avx512_vnni", "avx_vnni"})
#: Where a graph is fast; fp32 runs anywhere.
_MADE_FOR: Final[dict[Precision, Device]] = {"int8": "cpu", "fp16": "cuda"}


def choose(setting: Literal["auto", "fp32", "int8", "fp16"], device: Device, *, cpu: Cpu | None = None) -> Precision:
    """The setting, or for `auto` fp16 on a GPU, int8 on a CPU with VNNI (without it is no faster), and else fp32."""
    if setting != "auto":
        return setting
    if device == "cuda":
        return "fp16"
    return "int8" if _VNNI & set((cpu or read_cpu()).flags) else "fp32"


def require_suited(precision: Precision, device: Device) -> None:
    """Raises ConfigError for a graph that the device would run slower than another."""
    if _MADE_FOR.get(precision, device) != device:
        better = choose("auto", device)
        raise ConfigError(
            f"TICKETS_MODEL__PRECISION: {precision} is not for {device}; choose {better}, or leave it at auto"
        )
