"""Constants that the graph's builder and the runtime share."""

from typing import Final

#: Increase it with every change of a graph's numbers. It is part of the model stamp.
RECIPE_VERSION: Final = 1

#: int32[S, B], sequence-major.
IDS: Final = "input_ids"
MASK: Final = "attention_mask"
#: float32[B, hidden], rows of length 1.
EMBEDDING: Final = "sentence_embedding"

#: Prefix of the outputs that expose the input of each group of linear layers, for calibration.
CAPTURE: Final = "capture."

#: Fusions of ONNX Runtime that are slower on a CPU than the operators they replace.
DISABLED_OPTIMIZERS: Final = (
    "SkipLayerNormFusion",
    "BiasSkipLayerNormFusion",
    "BiasGeluFusion",
    "AttentionFusion",
    "EmbedLayerNormFusion",
)

#: On a GPU lengths are padded to a multiple of this, so that few different shapes occur.
LENGTH_STEP: Final = 16
