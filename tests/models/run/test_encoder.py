"""The embedder: its vectors equal plain numpy's, and batching doesn't change them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from core.records import Vector
from models.builder.artefact import find_or_build_artefact
from models.run.encoder import OnnxEmbedder, open_onnx_embedder
from models.run.session import Ids, Session, open_sessions
from models.run.tokenise import InputTokenizer, load_tokenizer
from models.run.tuning import DEFAULT, FILE, Tuning
from models.store.cards import TOKENIZER
from tests.models import tiny

TEXTS = ["the card", "lost", "", "the lost card . " * 4, "card " * 60, "abc def ghi", "[SEP] [CLS]", "the card"]


@pytest.fixture(scope="module", params=["mean", "cls"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, OnnxEmbedder, str]:
    """A tiny model: the folder of its weights, its embedder and its pooling."""
    folder = tmp_path_factory.mktemp("tiny")
    card = tiny.make(folder / "weights", pooling=request.param)
    artefact = find_or_build_artefact(card, folder / "weights", folder / "fp32", precision="fp32")
    return folder / "weights", open_onnx_embedder(artefact, folder / "weights" / TOKENIZER, threads=2), request.param


def _ids(folder: Path, text: str) -> list[int]:
    tokenizer: Any = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(24)
    tokenizer.encode_special_tokens = True
    ids: list[int] = tokenizer.encode(text).ids
    return ids


def test_vectors_equal_the_networks(made: tuple[Path, OnnxEmbedder, str]) -> None:
    """For another shape, both poolings, short and truncated texts, vectors equal those of plain numpy."""
    folder, embedder, pooling = made
    found = embedder.embed(TEXTS)
    wanted = np.stack([tiny.reference(folder, _ids(folder, text), pooling) for text in TEXTS])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=2e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_a_vector_does_not_depend_on_its_batch(made: tuple[Path, OnnxEmbedder, str]) -> None:
    """A text has the same vector alone, among others, and in another order."""
    _folder, embedder, _pooling = made
    together = embedder.embed(TEXTS)
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    backwards = embedder.embed(TEXTS[::-1])[::-1]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together, backwards, atol=1e-5)
    assert embedder.embed([]).shape == (0, tiny.HIDDEN)


def test_each_thread_has_a_session(tmp_path: Path) -> None:
    """Each thread of a model has a session, and so buffers in its own core's cache; callers get their own vectors."""
    card = tiny.make(tmp_path / "weights")
    artefact = find_or_build_artefact(card, tmp_path / "weights", tmp_path / "fp32", precision="fp32")
    assert len(set(open_sessions(artefact.graph, "cpu", threads=3))) == 3
    embedder = open_onnx_embedder(artefact, tmp_path / "weights" / TOKENIZER, threads=3)
    wanted = {text: embedder.embed([text]) for text in TEXTS}
    with ThreadPoolExecutor(8) as pool:
        asked = [(text, kind) for text in TEXTS * 20 for kind in ("passage", "query")]
        found = list(pool.map(lambda one: embedder.embed([one[0]], one[1]), asked))
    for (text, _kind), vector in zip(asked, found, strict=True):
        np.testing.assert_allclose(vector, wanted[text], atol=1e-5)
    embedder.close()


def test_a_special_token_in_a_text_is_text(made: tuple[Path, OnnxEmbedder, str]) -> None:
    """A text that contains [SEP] doesn't end there."""
    folder, embedder, _pooling = made
    assert 3 not in _ids(folder, "a [SEP] b")[1:-1]
    assert not np.allclose(embedder.embed(["a [SEP] b"]), embedder.embed(["a b"]), atol=1e-3)


def test_spans_cover_the_whole_text(made: tuple[Path, OnnxEmbedder, str]) -> None:
    """Spans go beyond the model's maximum length, as chunking requires."""
    _folder, embedder, _pooling = made
    text = "card lost " * 30
    (spans,) = embedder.spans([text])
    assert len(spans) == 60
    assert text[slice(*spans[-1])] == "lost"
    assert embedder.max_tokens == 22


def test_tokens_are_counted(tmp_path: Path) -> None:
    """The callback gets the tokens of each run, without padding."""
    card = tiny.make(tmp_path / "weights")
    artefact = find_or_build_artefact(card, tmp_path / "weights", tmp_path / "fp32", precision="fp32")
    told: list[tuple[int, int, float]] = []
    embedder = open_onnx_embedder(
        artefact, tmp_path / "weights" / TOKENIZER, threads=1, on_batch=lambda *counts: told.append(counts)
    )
    embedder.embed(["card", "the lost card"])
    embedder.close()
    assert sum(tokens for tokens, _padding, _seconds in told) == 3 + 5


class _Zeros:
    """A session that counts its runs."""

    def __init__(self) -> None:
        self.runs = 0

    def run(self, ids: Ids, mask: Ids) -> Vector:  # noqa: ARG002 - every vector is zero
        self.runs += 1
        return np.zeros((ids.shape[1], tiny.HIDDEN), np.float32)


def test_the_first_query_opens_the_query_session(made: tuple[Path, OnnxEmbedder, str]) -> None:
    """A process that answers no queries never loads the additional session, and one that does loads it once."""
    folder, opened, _pooling = made
    passages, queries, calls = _Zeros(), _Zeros(), []

    def open_query_session() -> Session:
        calls.append("opened")
        return queries

    embedder = OnnxEmbedder(
        opened._manifest,
        opened._tokenizer,
        InputTokenizer(load_tokenizer(folder / TOKENIZER, max_length=24), max_length=24, words=None),
        sessions=[passages],
        open_query_session=open_query_session,
        pool=ThreadPoolExecutor(1),
        tuning=DEFAULT,
    )
    embedder.embed(["card"])
    assert (calls, passages.runs, queries.runs) == ([], 1, 0)
    embedder.embed(["card"], "query")
    embedder.embed(["card"], "query")
    assert (calls, passages.runs, queries.runs) == (["opened"], 1, 2)
    embedder.close()


def test_a_machine_without_a_kept_tuning_is_measured_when_the_embedder_is_opened(tmp_path: Path) -> None:
    """The measured tuning is kept beside the graph; an embedder with a given tuning measures nothing."""
    card = tiny.make(tmp_path / "weights")
    artefact = find_or_build_artefact(card, tmp_path / "weights", tmp_path / "fp32", precision="fp32")
    open_onnx_embedder(artefact, tmp_path / "weights" / TOKENIZER, threads=1, tuning=Tuning(256, 8)).close()
    assert not (tmp_path / "fp32" / FILE).exists()
    open_onnx_embedder(artefact, tmp_path / "weights" / TOKENIZER, threads=1, tuning=None).close()
    assert (tmp_path / "fp32" / FILE).exists()


def test_a_query_does_not_wait_for_batches(made: tuple[Path, OnnxEmbedder, str]) -> None:
    """A query is embedded while all sessions are busy, and has the text's vector."""
    _folder, embedder, _pooling = made
    wanted = embedder.embed(["lost card"])
    busy = [embedder._sessions.get() for _ in range(2)]
    try:
        np.testing.assert_allclose(embedder.embed(["lost card"], "query"), wanted, atol=1e-6)
    finally:
        for session in busy:
            embedder._sessions.put(session)
