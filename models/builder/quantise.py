"""int8 by static quantisation: integer products whose scales are fixed beforehand.

So a text's vector is the same to the last bit whatever stands beside it. What costs accuracy is a channel or two per
layer whose values are far larger than the others': they stretch the one scale that all share. Dividing them
beforehand, in the normalisation's weights, and multiplying the rows of the next matrix by as much, changes nothing
but that (Xiao et al. 2023, SmoothQuant, for outlying channels only).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.builder.bert import Tensor
from models.builder.graph import Linear
from models.builder.graph_builder import MICROSOFT, GraphBuilder

_LEVELS: Final = 255
_MAX_WEIGHT: Final = 127
_LEAST: Final = 1e-12
_FLOAT: Final = 1  # TensorProto.FLOAT


class InputRange(Struct, frozen=True):
    """What a group of linears is given.

    Attributes:
        least: least value over the calibration texts, after the division; at most 0.
        greatest: greatest value, likewise; at least 0.
        divisors: outlying channels, each with what it is divided by.
    """

    least: float
    greatest: float
    divisors: tuple[tuple[int, float], ...] = ()


Calibration = Mapping[str, InputRange]


class StaticInt8Linears:
    """Implements `models.builder.graph.Linears`: u8 activations, s8 weights per column, s8 rows for the word table."""

    def __init__(self, calibration: Calibration) -> None:
        self._calibration = calibration

    def scale(self, group: str, width: int) -> Tensor | None:
        """By what each of `width` channels is divided, or None where none is outlying."""
        found = self._calibration.get(group)
        if found is None or not found.divisors:
            return None
        scale = np.ones(width, np.float32)
        for channel, divisor in found.divisors:
            scale[channel] = divisor
        return scale

    def apply(self, graph: GraphBuilder, x: str, linear: Linear) -> str:
        """One QuantizeLinear for all linears of a group, then MatMulIntegerToFloat with the bias inside."""
        step, zero = self._activation(linear.group)
        step_name = graph.constant(f"{x}.step_u8", step)
        zero_name = graph.constant(f"{x}.zero_u8", zero, np.uint8)
        quantised = graph.once("QuantizeLinear", [x, step_name, zero_name], f"{x}.u8")
        steps = np.maximum(np.abs(linear.weight).max(0) / _MAX_WEIGHT, _LEAST).astype(np.float32)
        weight = graph.constant(f"{linear.name}.weight", _rounded(linear.weight, steps), np.int8)
        steps_name = graph.constant(f"{linear.name}.steps", steps)
        bias = graph.constant(f"{linear.name}.bias", linear.bias)
        inputs = [quantised, weight, step_name, steps_name, zero_name, "", bias]
        return graph.node("MatMulIntegerToFloat", inputs, linear.name, domain=MICROSOFT)

    def rows(self, graph: GraphBuilder, name: str, table: Tensor, index: str) -> str:
        """A quarter of the table's size; each row has a step of its own."""
        steps = np.maximum(np.abs(table).max(1, keepdims=True) / _MAX_WEIGHT, _LEAST).astype(np.float32)
        small = graph.constant(f"{name}.table", _rounded(table, steps), np.int8)
        rows = graph.node("Gather", [small, index], f"{name}.s8")
        floats = graph.node("Cast", [rows], f"{name}.float", to=_FLOAT)
        chosen = graph.node("Gather", [graph.constant(f"{name}.steps", steps), index], f"{name}.row_steps")
        return graph.node("Mul", [floats, chosen], name)

    def _activation(self, group: str) -> tuple[np.float32, int]:
        """Step and zero point of a group's inputs, over the true extremes: clipping them costs accuracy."""
        found = self._calibration[group]
        step = np.float32(max((found.greatest - found.least) / _LEVELS, _LEAST))
        return step, int(np.clip(round(-found.least / float(step)), 0, _LEVELS))


def _rounded(values: Tensor, steps: Tensor) -> NDArray[np.int8]:
    rounded: NDArray[np.int8] = np.clip(np.rint(values / steps), -_MAX_WEIGHT, _MAX_WEIGHT).astype(np.int8)
    return rounded
