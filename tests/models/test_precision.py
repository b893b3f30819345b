"""The precision that suits a machine."""

import pytest

from core.cpu import Cpu
from core.errors import ConfigError
from models.device import Device
from models.precision import Precision, choose_precision, require_precision_for_device


@pytest.mark.parametrize(
    ("flags", "precision"),
    [(("avx2", "avx512_vnni"), "int8"), (("avx_vnni",), "int8"), (("avx2", "avx512f"), "fp32"), ((), "fp32")],
)
def test_auto_is_int8_on_a_cpu_with_vnni(flags: tuple[str, ...], precision: Precision) -> None:
    """Without VNNI int8 is no faster than fp32, so `auto` is fp32."""
    assert choose_precision("auto", "cpu", cpu=Cpu("x", flags, 1)) == precision


def test_auto_is_fp16_on_a_gpu() -> None:
    """On a GPU `auto` is fp16, regardless of the CPU's flags."""
    assert choose_precision("auto", "cuda", cpu=Cpu("x", ("avx512_vnni",), 1)) == "fp16"


def test_a_precision_that_is_named_is_taken() -> None:
    """A named precision is used, regardless of the CPU's flags."""
    assert choose_precision("int8", "cpu", cpu=Cpu("x", (), 1)) == "int8"
    assert choose_precision("fp32", "cuda") == "fp32"


@pytest.mark.parametrize(
    ("precision", "device"), [("int8", "cpu"), ("fp16", "cuda"), ("fp32", "cpu"), ("fp32", "cuda")]
)
def test_a_suited_precision_is_accepted(precision: Precision, device: Device) -> None:
    """int8 is for a CPU, fp16 is for a GPU, and fp32 runs on both."""
    require_precision_for_device(precision, device)


def test_a_precision_for_the_other_device_is_refused() -> None:
    """The error names the setting and the better precision."""
    with pytest.raises(ConfigError, match="TICKETS_MODEL__PRECISION: int8 is not for cuda; choose fp16"):
        require_precision_for_device("int8", "cuda")
