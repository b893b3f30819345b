"""int8 by static quantisation: integer products whose scales are fixed when the graph is built.

Fixed scales make a text's vector the same to the last bit, whichever texts share its batch. Accuracy suffers from a few
outlying channels per layer, whose large values widen the scale that all channels share. They are divided beforehand, in
the normalisation's weights, and the rows of the next matrix are multiplied by the same factors, which leaves the result
unchanged (Xiao et al. 2023, SmoothQuant, here for outlying channels only).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.builder.bert import Tensor
from models.builder.graph import LinearLayer
from models.builder.graph_builder import MICROSOFT, GraphBuilder

_LEVELS: Final = 255
_MAX_WEIGHT: Final = 127
_LEAST: Final = 1e-12
_FLOAT: Final = 1  # TensorProto.FLOAT


class InputRange(Struct, frozen=True):
    """Range of the inputs of a group of linear layers.

    Attributes:
        least: smallest value over the calibration texts, after the division by `divisors`; at most 0.
        greatest: largest value, likewise; at least 0.
        divisors: outlying channels, each with its divisor.
    """

    least: float
    greatest: float
    divisors: tuple[tuple[int, float], ...] = ()


Calibration = Mapping[str, InputRange]


class StaticInt8Arithmetic:
    """Implements `models.builder.graph.Arithmetic`: u8 activations, s8 weights per column, s8 table rows."""

    def __init__(self, calibration: Calibration) -> None:
        self._calibration = calibration

    def scale(self, group: str, width: int) -> Tensor | None:
        """float32[width], the divisor of each channel, or None if no channel is outlying."""
        found = self._calibration.get(group)
        if found is None or not found.divisors:
            return None
        scale = np.ones(width, np.float32)
        for channel, divisor in found.divisors:
            scale[channel] = divisor
        return scale

    def apply(self, graph: GraphBuilder, x: str, layer: LinearLayer) -> str:
        """One QuantizeLinear for all layers of a group, then MatMulIntegerToFloat, which adds the bias."""
        scale, zero = self._activation(layer.group)
        scale_name = graph.constant(f"{x}.step_u8", scale)
        zero_name = graph.constant(f"{x}.zero_u8", zero, np.uint8)
        quantised = graph.once("QuantizeLinear", [x, scale_name, zero_name], f"{x}.u8")
        scales = np.maximum(np.abs(layer.weight).max(0) / _MAX_WEIGHT, _LEAST).astype(np.float32)
        weight = graph.constant(f"{layer.name}.weight", _rounded(layer.weight, scales), np.int8)
        scales_name = graph.constant(f"{layer.name}.steps", scales)
        bias = graph.constant(f"{layer.name}.bias", layer.bias)
        inputs = [quantised, weight, scale_name, scales_name, zero_name, "", bias]
        return graph.node("MatMulIntegerToFloat", inputs, layer.name, domain=MICROSOFT)

    def rows(self, graph: GraphBuilder, name: str, table: Tensor, index: str) -> str:
        """An int8 table, a quarter of the size, with a scale per row."""
        scales = np.maximum(np.abs(table).max(1, keepdims=True) / _MAX_WEIGHT, _LEAST).astype(np.float32)
        small = graph.constant(f"{name}.table", _rounded(table, scales), np.int8)
        rows = graph.node("Gather", [small, index], f"{name}.s8")
        floats = graph.node("Cast", [rows], f"{name}.float", to=_FLOAT)
        chosen = graph.node("Gather", [graph.constant(f"{name}.steps", scales), index], f"{name}.row_steps")
        return graph.node("Mul", [floats, chosen], name)

    def _activation(self, group: str) -> tuple[np.float32, int]:
        """Scale and zero point of a group's inputs, over the full measured range: clipping outliers costs accuracy."""
        found = self._calibration[group]
        scale = np.float32(max((found.greatest - found.least) / _LEVELS, _LEAST))
        return scale, int(np.clip(round(-found.least / float(scale)), 0, _LEVELS))


def _rounded(values: Tensor, scales: Tensor) -> NDArray[np.int8]:
    rounded: NDArray[np.int8] = np.clip(np.rint(values / scales), -_MAX_WEIGHT, _MAX_WEIGHT).astype(np.int8)
    return rounded
