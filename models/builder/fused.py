"""A float16 graph of ONNX Runtime's fused operators, for a GPU: what is slower than its parts on a CPU is faster there.

Batch-major inside, as the fused attention wants it; sums, pooling and normalisation of the vector in float32, since a
sum over 256 tokens leaves float16's three digits.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
from onnx import TensorProto, helper

from models.builder.bert import BertShape, Tensors
from models.builder.graph_builder import MICROSOFT, GraphBuilder
from models.recipe import EMBEDDING, IDS, LENGTH_STEP, MASK

#: Below any length of a pooled vector; keeps a division by zero finite.
_LEAST: Final = 1e-12


def build_fused_graph(shape: BertShape, tensors: Tensors, *, pooling: Literal["mean", "cls"], max_length: int) -> bytes:
    """The graph as a serialised ONNX model: int32[S, B] ids and mask to float32[B, hidden], rows of length 1.

    A text's tokens come first in its column, and the padding after them.

    Args:
        shape: sizes.
        tensors: the weights.
        pooling: how token vectors become one.
        max_length: longest sequence; positions beyond it are left out.
    """
    encoder = _FusedEncoder(shape, tensors)
    encoder.embed(max_length)
    for layer in range(shape.layers):
        encoder.layer(layer)
    encoder.pool(pooling)
    return encoder.graph.serialise([helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, ["B", shape.hidden])])


class _FusedEncoder:
    def __init__(self, shape: BertShape, tensors: Tensors) -> None:
        self.graph = GraphBuilder()
        self._shape = shape
        self._tensors = tensors
        self._x = ""
        self._lengths = ""  # tokens of each text, int32[B]

    def embed(self, max_length: int) -> None:
        """Word, position and type embeddings, summed and normalised by one operator, which also counts the tokens."""
        tensors = self._tensors
        ids = self.graph.node("Transpose", [IDS], "ids.rows", perm=[1, 0])
        mask = self.graph.node("Transpose", [MASK], "mask.rows", perm=[1, 0])
        positions = tensors["embeddings.position_embeddings.weight"][:max_length]
        positions = positions + tensors["embeddings.token_type_embeddings.weight"][0]
        # Room for the padding up to the next step; nothing there is looked at.
        positions = np.pad(positions, ((0, -len(positions) % LENGTH_STEP), (0, 0)))
        inputs = [
            ids,
            "",  # every token is of the first type, which the positions hold already
            self._half("words.table", tensors["embeddings.word_embeddings.weight"]),
            self._half("positions.table", positions),
            "",
            *self._norm("embeddings.LayerNorm"),
            mask,
        ]
        self._x, self._lengths = self._fused("EmbedLayerNormalization", inputs, ["x0", "lengths"], mask_index_type=1)

    def layer(self, number: int) -> None:
        """Self-attention and feed-forward; a bias goes into the operator after its product."""
        prefix = f"encoder.layer.{number}"
        parts = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([self._tensors[f"{part}.weight"].T for part in parts], axis=1)
        bias = np.concatenate([self._tensors[f"{part}.bias"] for part in parts])
        packed = [self._half(f"attention{number}.weight", weight), self._half(f"attention{number}.bias", bias)]
        (context,) = self._fused(
            "Attention", [self._x, *packed, self._lengths], [f"context{number}"], num_heads=self._shape.heads
        )
        out = self._product(context, f"output{number}", f"{prefix}.attention.output.dense")
        middle = self._residual(out, self._x, f"{prefix}.attention.output", f"middle{number}")
        raised = self._product(middle, f"up{number}", f"{prefix}.intermediate.dense")
        (active,) = self._fused("BiasGelu", [raised, self._bias(f"{prefix}.intermediate.dense")], [f"active{number}"])
        lowered = self._product(active, f"down{number}", f"{prefix}.output.dense")
        self._x = self._residual(lowered, middle, f"{prefix}.output", f"x{number + 1}")

    def pool(self, pooling: Literal["mean", "cls"]) -> None:
        """One vector of length 1 per text. A sum serves as the mean: normalisation divides by the same length."""
        graph = self.graph
        if pooling == "cls":
            first = graph.node("Gather", [self._x, graph.constant("first", 0, np.int64)], "first.token", axis=1)
            pooled = graph.node("Cast", [first], "pooled", to=TensorProto.FLOAT)
        else:
            tokens = graph.node("Cast", [self._x], "tokens", to=TensorProto.FLOAT)
            counted = graph.node("Cast", ["mask.rows"], "mask.float", to=TensorProto.FLOAT)
            mask = graph.node("Unsqueeze", [counted, graph.axes(2)], "mask.tokens")
            kept = graph.node("Mul", [tokens, mask], "tokens.kept")
            pooled = graph.node("ReduceSum", [kept, graph.axes(1)], "pooled", keepdims=0)
        # LpNormalization has no kernel for CUDA.
        length = graph.node("ReduceL2", [pooled], "pooled.length", axes=[1], keepdims=1)
        safe = graph.node("Max", [length, graph.constant("least", _LEAST)], "pooled.safe_length")
        graph.node("Div", [pooled, safe], EMBEDDING)

    def _product(self, x: str, name: str, source: str) -> str:
        weight = self._half(f"{name}.weight", self._tensors[f"{source}.weight"].T)
        return self.graph.node("MatMul", [x, weight], name)

    def _residual(self, x: str, skipped: str, source: str, out: str) -> str:
        inputs = [x, skipped, *self._norm(f"{source}.LayerNorm"), self._bias(f"{source}.dense")]
        (found,) = self._fused("SkipLayerNormalization", inputs, [out])
        return found

    def _bias(self, source: str) -> str:
        return self._half(f"{source}.bias", self._tensors[f"{source}.bias"])

    def _norm(self, source: str) -> tuple[str, str]:
        return (
            self._half(f"{source}.weight", self._tensors[f"{source}.weight"]),
            self._half(f"{source}.bias", self._tensors[f"{source}.bias"]),
        )

    def _half(self, name: str, value: Any) -> str:
        return self.graph.constant(name, value, np.float16)

    def _fused(self, kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> Sequence[str]:
        if kind.endswith("LayerNormalization"):
            attributes["epsilon"] = self._shape.epsilon
        self.graph.nodes.append(
            helper.make_node(kind, inputs, outputs, name=outputs[0], domain=MICROSOFT, **attributes)
        )
        return outputs
