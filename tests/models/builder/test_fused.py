"""The float16 graph of fused operators, run on the CPU, and a GPU session's padding."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ConfigError
from models.builder.artefact import find_or_build_artefact
from models.builder.bert import read_shape, read_tensors
from models.builder.fused import build_fused_graph
from models.run.encoder import open_onnx_embedder
from models.run.session import CudaSession, open_cpu_session, open_cuda_session
from models.run.tokenise import load_tokenizer
from models.store.cards import CONFIG, TOKENIZER, WEIGHTS
from tests.models import tiny

TEXTS = ["the lost card", "card", "a b c d e f g h i j k", "lost . lost", "the card is lost ."]


class _Recorder:
    """A session that records the shapes bound to its inputs."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.shapes: list[tuple[int, ...]] = []

    def io_binding(self) -> Any:
        binding = self._session.io_binding()
        bind = binding.bind_ortvalue_input

        def record(name: str, value: Any) -> None:
            self.shapes.append(tuple(value.shape()))
            bind(name, value)

        binding.bind_ortvalue_input = record
        return binding

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def _padded(folder: Path) -> tuple[list[list[int]], Any, Any]:
    ids = [e.ids for e in load_tokenizer(folder / TOKENIZER, max_length=24).encode_batch(TEXTS)]
    lengths = np.array([len(i) for i in ids])
    mask = (np.arange(lengths.max())[:, None] < lengths).astype(np.int32)
    padded = np.zeros(mask.shape, np.int32)
    for column, own in enumerate(ids):
        padded[: len(own), column] = own
    return ids, padded, mask


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_the_vectors_equal_the_networks(tmp_path: Path, pooling: Any) -> None:
    """fp16 vectors equal those of plain numpy to three digits, whichever texts share the batch."""
    tiny.make(tmp_path, pooling=pooling)
    shape, tensors = read_shape(tmp_path / CONFIG), read_tensors(tmp_path / WEIGHTS)
    graph = build_fused_graph(shape, tensors, pooling=pooling, max_length=24)
    ids, padded, mask = _padded(tmp_path)
    found = open_cpu_session(graph).run(padded, mask)
    wanted = np.stack([tiny.reference(tmp_path, own, pooling) for own in ids])
    assert (found * wanted).sum(1).min() > 0.9999
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


def test_padding_of_a_gpu_session_does_not_change_the_result(tmp_path: Path) -> None:
    """Shapes are padded to 16 tokens and 8 texts, and the result has the original rows."""
    tiny.make(tmp_path)
    shape, tensors = read_shape(tmp_path / CONFIG), read_tensors(tmp_path / WEIGHTS)
    graph = build_fused_graph(shape, tensors, pooling="mean", max_length=24)
    _ids, padded, mask = _padded(tmp_path)
    recorder = _Recorder(open_cuda_session(graph, device="cpu")._session)
    session, seen = CudaSession(recorder, "cpu"), recorder.shapes
    np.testing.assert_allclose(session.run(padded, mask), open_cpu_session(graph).run(padded, mask), atol=2e-3)
    assert seen == [(16, 8), (16, 8)]
    session.run(np.ones((24, 1), np.int32), np.ones((24, 1), np.int32))
    assert seen[-1] == (32, 1)  # beyond the longest text
    alone = session.run(padded[:, :1], mask[:, :1])
    assert alone.shape == (1, tiny.HIDDEN)
    assert seen[-1] == (16, 1)


def test_it_is_built_anywhere_but_does_not_run_on_a_cpu(tmp_path: Path) -> None:
    """An fp16 artefact can be built without a GPU, and a CPU refuses to run it: int8 is faster there."""
    card = tiny.make(tmp_path / "weights")
    artefact = find_or_build_artefact(card, tmp_path / "weights", tmp_path / "fp16", precision="fp16")
    assert artefact.manifest.cosine > 0.999
    assert "/fp16/" in artefact.manifest.stamp
    with pytest.raises(ConfigError, match="fp16 is not for cpu; choose"):
        open_onnx_embedder(artefact, tmp_path / "weights" / TOKENIZER)
