"""Which device is chosen, and what is said where it can't be had."""

import pytest

from core.errors import ConfigError
from models import device
from models.device import choose_device, count_gpus


def test_without_a_gpu_auto_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """And `cuda` ends in one line: another graph would be another model."""
    monkeypatch.setattr(device, "why_no_gpu", lambda: "there is none")
    assert choose_device("auto") == "cpu"
    assert choose_device("cpu") == "cpu"
    with pytest.raises(ConfigError, match=r"^TICKETS_MODEL__DEVICE: cuda can't be had: there is none$"):
        choose_device("cuda")


def test_with_a_gpu_auto_is_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the CPU is named."""
    monkeypatch.setattr(device, "why_no_gpu", lambda: None)
    assert [choose_device(s) for s in ("auto", "cuda", "cpu")] == ["cuda", "cuda", "cpu"]


def test_a_gpu_without_the_library_for_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package for CPUs is installed: it says which one to install."""
    monkeypatch.setattr(device, "count_gpus", lambda: 1)
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    device.why_no_gpu.cache_clear()
    try:
        assert "requirements/gpu.txt" in (device.why_no_gpu() or "")
    finally:
        device.why_no_gpu.cache_clear()


def test_no_driver_is_no_gpu() -> None:
    """A library that isn't there, and one that is no driver."""
    assert count_gpus("libthere-is-none.so.1") == 0
    assert count_gpus("libc.so.6") == 0
