"""The choice of the device, and its errors."""

import pytest

from core.errors import ConfigError
from models import device
from models.device import choose_device, count_gpus


def test_without_a_gpu_auto_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU `auto` is the CPU, and `cuda` is an error."""
    monkeypatch.setattr(device, "why_no_gpu", lambda: "there is none")
    assert choose_device("auto") == "cpu"
    assert choose_device("cpu") == "cpu"
    with pytest.raises(ConfigError, match=r"^TICKETS_MODEL__DEVICE: cuda is not available: there is none$"):
        choose_device("cuda")


def test_with_a_gpu_auto_is_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a GPU `auto` uses it, and `cpu` doesn't."""
    monkeypatch.setattr(device, "why_no_gpu", lambda: None)
    assert [choose_device(s) for s in ("auto", "cuda", "cpu")] == ["cuda", "cuda", "cpu"]


def test_a_gpu_without_its_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ONNX Runtime for CPUs only, the reason names the package to install."""
    monkeypatch.setattr(device, "count_gpus", lambda: 1)
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    device.why_no_gpu.cache_clear()
    try:
        assert "requirements/gpu.txt" in (device.why_no_gpu() or "")
    finally:
        device.why_no_gpu.cache_clear()


def test_without_a_driver_there_are_no_gpus() -> None:
    """A missing library, and one that is not a driver, count no GPUs."""
    assert count_gpus("libthere-is-none.so.1") == 0
    assert count_gpus("libc.so.6") == 0
