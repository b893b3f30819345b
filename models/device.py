"""Where the model runs: on the CPU, or on a GPU through CUDA."""

import ctypes
from functools import cache
from typing import Final, Literal

import onnxruntime as ort

from core.errors import ConfigError

Device = Literal["cpu", "cuda"]

CUDA_PROVIDER: Final = "CUDAExecutionProvider"
CPU_PROVIDER: Final = "CPUExecutionProvider"
_DRIVER: Final = "libcuda.so.1"
_INSTALL: Final = "install requirements/gpu.txt in place of requirements/run.txt"


def choose_device(setting: Literal["auto", "cpu", "cuda"]) -> Device:
    """The setting, or for `auto` the GPU where there is one that can be used.

    Raises:
        ConfigError: `cuda` is asked for and can't be had. Its graph is another one than the CPU's, so an index begun
            on a GPU can't go on without: falling back would end in a worse message.
    """
    if setting == "cpu":
        return "cpu"
    missing = why_no_gpu()
    if missing is None:
        return "cuda"
    if setting == "cuda":
        raise ConfigError(f"TICKETS_MODEL__DEVICE: cuda can't be had: {missing}")
    return "cpu"


@cache
def why_no_gpu() -> str | None:
    """Why no GPU can be used here, or None where one can."""
    if not count_gpus():
        return "there is no NVIDIA GPU, or no driver for it"
    if CUDA_PROVIDER not in ort.get_available_providers():
        return f"there is a GPU, but this ONNX Runtime is built for the CPU alone; {_INSTALL}"
    return None


def count_gpus(driver: str = _DRIVER) -> int:
    """NVIDIA GPUs, as the driver's own library counts them; 0 without a driver."""
    try:
        cuda = ctypes.CDLL(driver)
        count = ctypes.c_int()
        if cuda.cuInit(0) != 0 or cuda.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return 0
    except (OSError, AttributeError):
        return 0
    return count.value


def cuda_unusable() -> ConfigError:
    """What to raise when ONNX Runtime has CUDA and can't load it."""
    return ConfigError(f"TICKETS_MODEL__DEVICE: there is a GPU, but CUDA or cuDNN can't be loaded; {_INSTALL}")
