"""What a BERT-family encoder is made of: its shape from config.json, its tensors from model.safetensors."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from safetensors.numpy import load_file

from core.errors import ConfigError

Tensor = NDArray[np.float32]
Tensors = Mapping[str, Tensor]

_PREFIX: Final = "bert."


class BertShape(Struct, frozen=True):
    """Sizes of an encoder, and the epsilon of its layer normalisations."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    epsilon: float

    @property
    def head(self) -> int:
        """Width of one attention head."""
        return self.hidden // self.heads


def read_shape(path: Path) -> BertShape:
    """The shape a config.json of the model hub describes.

    Raises:
        ConfigError: it is not an encoder that we can build.
    """
    config: dict[str, Any] = json.loads(path.read_text())
    for name, wanted in (("hidden_act", "gelu"), ("position_embedding_type", "absolute")):
        if config.get(name, wanted) != wanted:
            raise ConfigError(f"{path}: {name} is {config[name]!r}; only {wanted!r} can be built")
    try:
        return BertShape(
            hidden=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            intermediate=config["intermediate_size"],
            epsilon=config["layer_norm_eps"],
        )
    except KeyError as missing:
        raise ConfigError(f"{path}: {missing} is missing; this is not a BERT encoder's configuration") from None


def read_tensors(path: Path) -> Tensors:
    """The encoder's tensors as float32, under names without the `bert.` some files begin them with."""
    return {name.removeprefix(_PREFIX): tensor.astype(np.float32) for name, tensor in load_file(path).items()}
