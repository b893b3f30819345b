"""The shape of a BERT-family encoder, from config.json, and its tensors, from model.safetensors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from safetensors.numpy import load_file

from core.errors import ConfigError

Tensor = NDArray[np.float32]
Tensors = Mapping[str, Tensor]

#: Prefix of tensor names in some files.
_PREFIX: Final = "bert."


class BertShape(
    Struct,
    frozen=True,
    rename={
        "hidden": "hidden_size",
        "layers": "num_hidden_layers",
        "heads": "num_attention_heads",
        "intermediate": "intermediate_size",
        "epsilon": "layer_norm_eps",
    },
):
    """Sizes of an encoder, and the epsilon of its layer normalisations."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    epsilon: float

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden // self.heads


class _Variant(Struct):
    """The settings of config.json for which only the default is supported."""

    hidden_act: str = "gelu"
    position_embedding_type: str = "absolute"


def read_shape(path: Path) -> BertShape:
    """The shape that a config.json of the model hub describes.

    Raises:
        ConfigError: it does not describe a supported encoder.
    """
    content = path.read_bytes()
    try:
        found, supported = msgspec.json.decode(content, type=_Variant), _Variant()
        for name in _Variant.__struct_fields__:
            value, wanted = getattr(found, name), getattr(supported, name)
            if value != wanted:
                raise ConfigError(f"{path}: {name} is {value!r}; only {wanted!r} is supported")
        return msgspec.json.decode(content, type=BertShape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not the configuration of a BERT encoder: {error}") from None


def read_tensors(path: Path) -> Tensors:
    """The encoder's tensors as float32, by name; a leading `bert.` of a name is removed."""
    return {name.removeprefix(_PREFIX): tensor.astype(np.float32) for name, tensor in load_file(path).items()}
