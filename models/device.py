"""The device that the model runs on: the CPU, or a GPU through CUDA."""

import ctypes
from functools import cache
from typing import Final, Literal

import onnxruntime as ort

from core.errors import ConfigError

Device = Literal["cpu", "cuda"]

CUDA_PROVIDER: Final = "CUDAExecutionProvider"
CPU_PROVIDER: Final = "CPUExecutionProvider"
_DRIVER: Final = "libcuda.so.1"
_INSTALL: Final = "install requirements/gpu.txt instead of requirements/run.txt"


def choose_device(setting: Literal["auto", "cpu", "cuda"]) -> Device:
    """The setting, or for `auto` the GPU if one can be used, else the CPU.

    Raises:
        ConfigError: `cuda` is asked for and not available. There is no fallback to the CPU: its graph has another
            stamp, so an index begun on a GPU would refuse its vectors, with a less helpful message.
    """
    if setting == "cpu":
        return "cpu"
    missing = why_no_gpu()
    if missing is None:
        return "cuda"
    if setting == "cuda":
        raise ConfigError(f"TICKETS_MODEL__DEVICE: cuda is not available: {missing}")
    return "cpu"


@cache
def why_no_gpu() -> str | None:
    """The reason why no GPU can be used, or None."""
    if not count_gpus():
        return "there is no NVIDIA GPU, or no driver for it"
    if CUDA_PROVIDER not in ort.get_available_providers():
        return f"there is a GPU, but this ONNX Runtime is built for the CPU only; {_INSTALL}"
    return None


def count_gpus(driver: str = _DRIVER) -> int:
    """Number of NVIDIA GPUs, according to the driver's library; 0 without a driver."""
    try:
        cuda = ctypes.CDLL(driver)
        count = ctypes.c_int()
        if cuda.cuInit(0) != 0 or cuda.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return 0
    except (OSError, AttributeError):
        return 0
    return count.value


def cuda_load_error() -> ConfigError:
    """The error if ONNX Runtime supports CUDA but can't load it."""
    return ConfigError(f"TICKETS_MODEL__DEVICE: there is a GPU, but CUDA or cuDNN can't be loaded; {_INSTALL}")
