"""An inference graph of a BERT encoder for the CPU, built with `onnx` from the weights.

These choices make it fast, each of them measured: sequence-major inputs int32[S, B], so that attention needs one
transpose instead of four; merged position and type tables; three GEMMs for Q, K and V with 1/√d folded into Q; pooling
and normalisation in the graph; no fused SkipLayerNormalization or BiasGelu, whose kernels are slower than their parts.
"""

from typing import Final, Literal, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from onnx import TensorProto, helper

from models.builder.bert import BertShape, Tensor, Tensors
from models.builder.graph_builder import MICROSOFT, GraphBuilder
from models.recipe import CAPTURE, EMBEDDING, IDS, MASK

#: Added to the scores of padding: exp(-10,000) is 0 in float32.
_MASKED: Final = 10_000


class LinearLayer(Struct, frozen=True, eq=False):
    """`x · weight + bias`: float32[K, N] and float32[N]. Layers of one group read the same `x`."""

    group: str
    name: str
    weight: Tensor
    bias: Tensor


class Arithmetic(Protocol):
    """Adds linear layers and table lookups to a graph; these differ between precisions."""

    def scale(self, group: str, width: int) -> Tensor | None:
        """float32[width] by which the inputs of a group of layers are divided beforehand, or None."""
        ...

    def apply(self, graph: GraphBuilder, x: str, layer: LinearLayer) -> str:
        """Add one linear layer; returns its output's name."""
        ...

    def rows(self, graph: GraphBuilder, name: str, table: Tensor, index: str) -> str:
        """Add a lookup of rows of `table`; returns its output's name."""
        ...


class FloatArithmetic:
    """Implements `Arithmetic` in float32."""

    def scale(self, group: str, width: int) -> Tensor | None:  # noqa: ARG002 - nothing is scaled
        """Always None: float32 needs no scaling."""
        return None

    def apply(self, graph: GraphBuilder, x: str, layer: LinearLayer) -> str:
        """A MatMul and an Add."""
        name = layer.name
        product = graph.node("MatMul", [x, graph.constant(f"{name}.weight", layer.weight)], f"{name}.product")
        return graph.node("Add", [product, graph.constant(f"{name}.bias", layer.bias)], name)

    def rows(self, graph: GraphBuilder, name: str, table: Tensor, index: str) -> str:
        """A Gather."""
        return graph.node("Gather", [graph.constant(f"{name}.table", table), index], name)


def build_graph(
    shape: BertShape,
    tensors: Tensors,
    *,
    pooling: Literal["mean", "cls"],
    max_length: int,
    arithmetic: Arithmetic,
    capture: bool = False,
) -> bytes:
    """The graph as a serialised ONNX model: int32[S, B] ids and mask to float32[B, hidden], rows of length 1.

    Args:
        shape: sizes.
        tensors: the weights.
        pooling: how token vectors become one.
        max_length: longest sequence; positions beyond it are left out.
        arithmetic: the precision.
        capture: also output the inputs of every group of linear layers, for calibration.
    """
    encoder = _Encoder(shape, tensors, arithmetic)
    encoder.embed(max_length)
    for layer in range(shape.layers):
        encoder.layer(layer)
    encoder.pool(pooling)
    outputs = [helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, ["B", shape.hidden])]
    if capture:
        captured = [encoder.graph.node("Identity", [x], CAPTURE + group) for group, x in encoder.groups.items()]
        outputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["S", "B", None]) for name in captured]
    return encoder.graph.serialise(outputs)


class _Encoder:
    def __init__(self, shape: BertShape, tensors: Tensors, arithmetic: Arithmetic) -> None:
        self.graph = GraphBuilder()
        self.groups: dict[str, str] = {}  # the tensor that each group of layers reads
        self._shape = shape
        self._tensors = tensors
        self._arithmetic = arithmetic
        self._x = ""

    def embed(self, max_length: int) -> None:
        """Word, position and type embeddings, normalised; and the mask as a bias that attention adds to its scores."""
        graph, tensors = self.graph, self._tensors
        positions = tensors["embeddings.position_embeddings.weight"][:max_length]
        positions = positions + tensors["embeddings.token_type_embeddings.weight"][0]
        size = graph.node("Slice", [graph.node("Shape", [IDS], "shape"), graph.axes(0), graph.axes(1)], "length")
        table = graph.constant("positions.table", positions)
        used = graph.node("Slice", [table, graph.axes(0), size, graph.axes(0)], "positions.used")
        place = graph.node("Unsqueeze", [used, graph.axes(1)], "positions")
        words = self._arithmetic.rows(graph, "words", tensors["embeddings.word_embeddings.weight"], IDS)
        summed = graph.node("Add", [words, place], "embedded")
        self._x = self._normalise(
            summed, "embeddings.LayerNorm", "x0", self._arithmetic.scale("attention0", self._shape.hidden)
        )

        mask = graph.node("Cast", [MASK], "mask", to=TensorProto.FLOAT)
        shifted = graph.node("Sub", [mask, graph.constant("one", 1)], "mask.shifted")
        large = graph.node("Mul", [shifted, graph.constant("masked", _MASKED)], "mask.large")
        turned = graph.node("Transpose", [large], "mask.turned", perm=[1, 0])
        graph.node("Unsqueeze", [turned, graph.axes(1, 2)], "mask.bias")

    def layer(self, number: int) -> None:
        """Self-attention and feed-forward, each with its residual and normalisation."""
        prefix = f"encoder.layer.{number}"
        context = self._attention(number, prefix)
        out = self._linear(context, f"output{number}", f"output{number}", f"{prefix}.attention.output.dense")
        entry_scale = self._arithmetic.scale(f"attention{number}", self._shape.hidden)
        up_scale = self._arithmetic.scale(f"up{number}", self._shape.hidden)
        middle = self._residual(
            out, self._x, f"{prefix}.attention.output.LayerNorm", f"middle{number}", undo=entry_scale, scale=up_scale
        )
        raised = self._linear(middle, f"up{number}", f"up{number}", f"{prefix}.intermediate.dense")
        active = self.graph.node("Gelu", [raised], f"active{number}", domain=MICROSOFT)
        down_scale = self._arithmetic.scale(f"down{number}", self._shape.intermediate)
        if down_scale is not None:
            inverse = self.graph.constant(f"active{number}.inverse", 1 / down_scale)
            active = self.graph.node("Mul", [active, inverse], f"active{number}.scaled")
        lowered = self._linear(active, f"down{number}", f"down{number}", f"{prefix}.output.dense")
        exit_scale = self._arithmetic.scale(f"attention{number + 1}", self._shape.hidden)
        self._x = self._residual(
            lowered, middle, f"{prefix}.output.LayerNorm", f"x{number + 1}", undo=up_scale, scale=exit_scale
        )

    def pool(self, pooling: Literal["mean", "cls"]) -> None:
        """One vector of norm 1 per text. The mean is computed as a sum, since normalisation makes the two equal."""
        graph = self.graph
        if pooling == "cls":
            pooled = graph.node("Gather", [self._x, graph.constant("first", 0, np.int64)], "pooled", axis=0)
        else:
            mask = graph.node("Unsqueeze", ["mask", graph.axes(2)], "mask.tokens")
            kept = graph.node("Mul", [self._x, mask], "tokens.kept")
            pooled = graph.node("ReduceSum", [kept, graph.axes(0)], "pooled", keepdims=0)
        graph.node("LpNormalization", [pooled], EMBEDDING, axis=1, p=2)

    def _attention(self, number: int, prefix: str) -> str:
        graph, shape, group = self.graph, self._shape, f"attention{number}"
        root = float(1 / np.sqrt(shape.head_size))
        heads = graph.constant("heads", [0, 0, shape.heads, shape.head_size], np.int64)
        parts = {}
        for part, factor in (("query", root), ("key", 1.0), ("value", 1.0)):
            name = f"{part}{number}"
            flat = self._linear(self._x, group, name, f"{prefix}.attention.self.{part}", factor)
            parts[part] = graph.node("Reshape", [flat, heads], f"{name}.heads")
        scores = graph.node(
            "FusedMatMul",
            [parts["query"], parts["key"]],
            f"scores{number}",
            domain=MICROSOFT,
            transB=1,
            transBatchA=1,
            transBatchB=1,
        )
        biased = graph.node("Add", [scores, "mask.bias"], f"scores{number}.masked")
        shares = graph.node("Softmax", [biased], f"shares{number}", axis=-1)
        mixed = graph.node("FusedMatMul", [shares, parts["value"]], f"mixed{number}", domain=MICROSOFT, transBatchB=1)
        turned = graph.node("Transpose", [mixed], f"mixed{number}.turned", perm=[2, 0, 1, 3])
        joined = graph.constant("joined", [0, 0, shape.hidden], np.int64)
        return graph.node("Reshape", [turned, joined], f"context{number}")

    def _linear(self, x: str, group: str, name: str, source: str, factor: float = 1.0) -> str:
        self.groups[group] = x
        weight = self._tensors[f"{source}.weight"].T * np.float32(factor)
        bias = self._tensors[f"{source}.bias"] * np.float32(factor)
        scale = self._arithmetic.scale(group, weight.shape[0])
        if scale is not None:
            weight = weight * scale[:, None]
        return self._arithmetic.apply(self.graph, x, LinearLayer(group, name, weight, bias))

    def _residual(self, x: str, skipped: str, norm: str, out: str, *, undo: Tensor | None, scale: Tensor | None) -> str:
        if undo is not None:  # `skipped` was divided by `undo` for the layers that read it
            restored = self.graph.constant(f"{skipped}.scale", undo)
            skipped = self.graph.node("Mul", [skipped, restored], f"{skipped}.restored")
        return self._normalise(self.graph.node("Add", [x, skipped], f"{out}.sum"), norm, out, scale)

    def _normalise(self, x: str, source: str, out: str, scale: Tensor | None) -> str:
        """Layer normalisation; the division by `scale`, for the layers that read it, is folded into its weights."""
        weight: NDArray[np.float32] = self._tensors[f"{source}.weight"]
        bias = self._tensors[f"{source}.bias"]
        if scale is not None:
            weight, bias = weight / scale, bias / scale
        inputs = [x, self.graph.constant(f"{out}.weight", weight), self.graph.constant(f"{out}.bias", bias)]
        return self.graph.node("LayerNormalization", inputs, out, axis=-1, epsilon=self._shape.epsilon)
