"""Collects the nodes and constants of a graph, and makes an ONNX model of them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnx
from numpy.typing import ArrayLike, DTypeLike
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from models.recipe import IDS, MASK

#: Domain of ONNX Runtime's contributed operators.
MICROSOFT: Final = "com.microsoft"
_OPSET: Final = 17
_IR_VERSION: Final = 8

#: The value of a node's attribute.
Attribute = int | float | Sequence[int]


class GraphBuilder:
    """Nodes and constants of a graph; each constant is added once."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}

    def constant(self, name: str, value: ArrayLike, dtype: DTypeLike = np.float32) -> str:
        """Add an initializer unless there is one called `name`; returns its name."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.array(value, dtype=dtype, order="C"), name)
        return name

    def axes(self, *axes: int) -> str:
        """Add an int64[len(axes)] constant; returns its name."""
        return self.constant("axes_" + "_".join(map(str, axes)), np.array(axes), np.int64)

    def node(self, kind: str, inputs: Sequence[str], output: str, *, domain: str = "", **attributes: Attribute) -> str:
        """Add an operator with one output; returns the output's name."""
        self.add(kind, inputs, [output], domain=domain, **attributes)
        return output

    def add(
        self, kind: str, inputs: Sequence[str], outputs: Sequence[str], *, domain: str = "", **attributes: Attribute
    ) -> None:
        """Add an operator, named after its first output."""
        node = helper.make_node(kind, inputs, outputs, name=outputs[0], domain=domain)
        node.attribute.extend(helper.make_attribute(name, value) for name, value in sorted(attributes.items()))
        self.nodes.append(node)

    def once(self, kind: str, inputs: Sequence[str], output: str) -> str:
        """Add an operator unless one has this `output` already; returns the output's name."""
        if not any(output in node.output for node in self.nodes):
            self.node(kind, inputs, output)
        return output

    def serialise(self, outputs: Sequence[ValueInfoProto]) -> bytes:
        """The checked and serialised model, from int32[S, B] ids and mask to `outputs`."""
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT32, ["S", "B"]) for name in (IDS, MASK)]
        model = helper.make_model(
            helper.make_graph(self.nodes, "encoder", inputs, list(outputs), list(self.constants.values())),
            opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid(MICROSOFT, 1)],
            ir_version=_IR_VERSION,
            producer_name="ticketstream",
        )
        onnx.checker.check_model(model)
        serialised: bytes = model.SerializeToString(deterministic=True)
        return serialised
