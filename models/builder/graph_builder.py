"""Nodes and constants of a graph, and how they become an ONNX model."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.recipe import IDS, MASK

#: Of ONNX Runtime's own operators.
MICROSOFT: Final = "com.microsoft"
_OPSET: Final = 17
_IR_VERSION: Final = 8


class GraphBuilder:
    """Collects nodes and constants, each constant once."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def constant(self, name: str, value: Any, dtype: Any = np.float32) -> str:
        """An initializer."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.array(value, dtype=dtype, order="C"), name)
        return name

    def axes(self, *axes: int) -> str:
        """An int64 constant of one dimension."""
        return self.constant("axes_" + "_".join(map(str, axes)), np.array(axes), np.int64)

    def node(self, kind: str, inputs: Sequence[str], output: str, *, domain: str = "", **attributes: Any) -> str:
        """One operator with one output."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def once(self, kind: str, inputs: Sequence[str], output: str) -> str:
        """The operator that gives `output`, unless it is there already."""
        if not any(output in node.output for node in self.nodes):
            self.node(kind, inputs, output)
        return output

    def serialise(self, outputs: Sequence[Any]) -> bytes:
        """The model, checked: int32[S, B] ids and mask to `outputs`."""
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
