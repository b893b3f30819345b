"""What builder and runner of a graph agree on."""

from typing import Final

#: Changes with anything that changes a graph's numbers: it is part of the model stamp.
RECIPE_VERSION: Final = 1

#: int32[S, B], sequence-major.
IDS: Final = "input_ids"
MASK: Final = "attention_mask"
#: float32[B, hidden], rows of length 1.
EMBEDDING: Final = "sentence_embedding"

#: Before a group of linears, the output that gives what it reads; for calibration.
CAPTURE: Final = "capture."

#: Fusions of ONNX Runtime that are slower than their parts on a CPU.
DISABLED_OPTIMIZERS: Final = (
    "SkipLayerNormFusion",
    "BiasSkipLayerNormFusion",
    "BiasGeluFusion",
    "AttentionFusion",
    "EmbedLayerNormFusion",
)

#: On a GPU sequences are filled up to a multiple of this, so that few different shapes occur.
LENGTH_STEP: Final = 16
