"""The numeric precision of a graph, and the one that suits this machine."""

from typing import Final, Literal

from core.cpu import Cpu, read_cpu
from core.errors import ConfigError
from models.device import Device

Precision = Literal["fp32", "int8", "fp16"]

#: Flags of x86 CPUs with VNNI, which multiplies bytes as fast as the static int8 graph needs.
_VNNI: Final = frozenset({"avx512_vnni", "avx_vnni"})
#: The device that a precision is for; fp32 is for both.
_MADE_FOR: Final[dict[Precision, Device]] = {"int8": "cpu", "fp16": "cuda"}


def choose_precision(
    setting: Literal["auto", "fp32", "int8", "fp16"], device: Device, *, cpu: Cpu | None = None
) -> Precision:
    """The setting, or for `auto` fp16 on a GPU, int8 on a CPU with VNNI (it is no faster without), else fp32."""
    if setting != "auto":
        return setting
    if device == "cuda":
        return "fp16"
    return "int8" if _VNNI & set((cpu or read_cpu()).flags) else "fp32"


def require_precision_for_device(precision: Precision, device: Device) -> None:
    """Raise ConfigError if the precision is for the other device, where it would be slower."""
    if _MADE_FOR.get(precision, device) != device:
        better = choose_precision("auto", device)
        raise ConfigError(
            f"TICKETS_MODEL__PRECISION: {precision} is not for {device}; choose {better}, or leave it at auto"
        )
