"""A float16 graph of a BERT encoder for GPUs. It uses ONNX Runtime's fused operators, which are slower on a CPU.

It is batch-major inside, as fused attention requires. Sums, pooling and normalisation of the vector are in float32:
a sum over 256 tokens exceeds float16's precision of three digits.
"""

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from onnx import TensorProto, helper

from models.builder.bert import BertShape, Tensor, Tensors
from models.builder.graph_builder import MICROSOFT, Attribute, GraphBuilder
from models.recipe import EMBEDDING, IDS, LENGTH_STEP, MASK

#: Lower bound of a vector's norm: keeps a division by zero finite.
_LEAST: Final = 1e-12


def build_fused_graph(shape: BertShape, tensors: Tensors, *, pooling: Literal["mean", "cls"], max_length: int) -> bytes:
    """The graph as a serialised ONNX model: int32[S, B] ids and mask to float32[B, hidden], rows of length 1.

    Each column must hold a text's tokens first and the padding after them.

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
        """Word, position and type embeddings, summed and normalised by an operator that also counts the tokens."""
        tensors = self._tensors
        ids = self.graph.node("Transpose", [IDS], "ids.rows", perm=[1, 0])
        mask = self.graph.node("Transpose", [MASK], "mask.rows", perm=[1, 0])
        positions = tensors["embeddings.position_embeddings.weight"][:max_length]
        positions = positions + tensors["embeddings.token_type_embeddings.weight"][0]
        # Rows for the padding up to the next step; their values are never used.
        positions = np.pad(positions, ((0, -len(positions) % LENGTH_STEP), (0, 0)))
        inputs = [
            ids,
            "",  # every token is of the first type, which has been added to the positions
            self._half("words.table", tensors["embeddings.word_embeddings.weight"]),
            self._half("positions.table", positions),
            "",
            *self._norm("embeddings.LayerNorm"),
            mask,
        ]
        self._x, self._lengths = self._fused("EmbedLayerNormalization", inputs, ["x0", "lengths"], mask_index_type=1)

    def layer(self, number: int) -> None:
        """Self-attention and feed-forward; each bias is added by the fused operator that follows the MatMul."""
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
        """One vector of norm 1 per text. The mean is computed as a sum, since normalisation makes the two equal."""
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

    def _half(self, name: str, value: Tensor) -> str:
        return self.graph.constant(name, value, np.float16)

    def _fused(
        self, kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Attribute
    ) -> Sequence[str]:
        if kind.endswith("LayerNormalization"):
            attributes["epsilon"] = self._shape.epsilon
        self.graph.add(kind, inputs, outputs, domain=MICROSOFT, **attributes)
        return outputs
