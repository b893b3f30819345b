"""A model built on one machine runs on another without weights. Skipped if the weights can't be downloaded."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from core.errors import ConfigError, UnavailableError
from core.model_settings import ModelSettings
from models.device import Device
from models.open import describe
from models.run.session import Session, open_sessions
from models.store.artefact import GRAPH
from models.store.cards import CONFIG, TOKENIZER, WEIGHTS
from runtime.model import build_model, fetch_model, open_embedder, open_question_embedder, open_tokenizer
from tests.models import tiny

#: Opens a model as a start does.
_STARTS: dict[str, Callable[[ModelSettings], object]] = {
    "embedder": lambda settings: open_embedder(settings, ExitStack()),
    "tokenizer": open_tokenizer,
}

TEXTS = ["I can't sign in", "Rechnung doppelt erhalten"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the default model in fp32."""
    folder = tmp_path_factory.mktemp("store")
    try:
        build_model(ModelSettings(precision="fp32"), to=str(folder))
    except UnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no weights: {error}")
    return folder


@pytest.fixture
def tiny_model(tmp_path: Path) -> ModelSettings:
    """Settings of a tiny model in the user's own folder."""
    (tmp_path / "card.json").write_bytes(msgspec.json.encode(tiny.make(tmp_path)))
    return ModelSettings(cache_dir=tmp_path / "cache", card=tmp_path / "card.json", precision="fp32", batch_tokens=512)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many times each file was hashed, by its name."""
    counts: Counter[str] = Counter()
    real = hashlib.file_digest

    def counting(source: Any, digest: str) -> Any:
        counts[Path(source.name).name] += 1
        return real(source, digest)

    monkeypatch.setattr(hashlib, "file_digest", counting)
    return counts


@pytest.mark.parametrize("start", _STARTS)
def test_every_file_is_hashed_once_per_start(tiny_model: ModelSettings, hashed: Counter[str], start: str) -> None:
    """The first start hashes the weights that it builds from, and a later one the built files, each once."""
    _STARTS[start](tiny_model)
    assert hashed == {CONFIG: 1, WEIGHTS: 1, TOKENIZER: 1}  # the graph is hashed in memory
    hashed.clear()
    _STARTS[start](tiny_model)
    assert hashed == {GRAPH: 1, TOKENIZER: 1}


def test_every_file_from_a_store_is_hashed_once(
    tiny_model: ModelSettings, hashed: Counter[str], tmp_path: Path
) -> None:
    """A downloaded model is verified on arrival, and not again before it is opened."""
    build_model(tiny_model, to=str(tmp_path / "store"))
    hashed.clear()
    fresh = {"cache_dir": tmp_path / "elsewhere", "store": str(tmp_path / "store")}
    open_embedder(tiny_model.model_copy(update=fresh), ExitStack())
    assert hashed == {GRAPH: 1, TOKENIZER: 1}


@pytest.mark.parametrize("start", _STARTS)
@pytest.mark.parametrize("name", [GRAPH, TOKENIZER])
def test_a_flipped_byte_refuses_the_start(tiny_model: ModelSettings, name: str, start: str) -> None:
    """Graph and tokenizer are verified at every start."""
    open_embedder(tiny_model, ExitStack())
    (file,) = (tiny_model.cache_dir).rglob(name)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=f"{name} is damaged"):
        _STARTS[start](tiny_model)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, TOKENIZER])
def test_a_flipped_byte_of_the_weights_refuses_the_build(tiny_model: ModelSettings, name: str) -> None:
    """The files that a graph is built from are verified before each build."""
    open_embedder(tiny_model, ExitStack())
    (file,) = (tiny_model.cache_dir).rglob(name)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=f"{name} is damaged"):
        build_model(tiny_model, to=None)


def test_another_machine_runs_it_without_weights(store: Path, tmp_path: Path) -> None:
    """A model from the store has the same stamp and vectors, and needs no weights."""
    elsewhere = ModelSettings(precision="fp32", cache_dir=tmp_path, store=str(store))
    stack = ExitStack()
    here, there = open_embedder(ModelSettings(precision="fp32"), stack), open_embedder(elsewhere, stack)
    assert there.stamp == here.stamp
    np.testing.assert_array_equal(there.embed(TEXTS), here.embed(TEXTS))
    assert not list(tmp_path.rglob("model.safetensors"))


@pytest.mark.usefixtures("store")
def test_a_store_whose_graph_was_changed_is_refused(tmp_path: Path) -> None:
    """A graph from the store that does not match the manifest's hash is refused."""
    settings = ModelSettings(precision="fp32", cache_dir=tmp_path / "cache", store=str(tmp_path / "store"))
    build_model(ModelSettings(precision="fp32"), to=settings.store)
    (graph,) = (tmp_path / "store").rglob("graph.onnx")
    graph.write_bytes(graph.read_bytes()[:-1] + b"\x00")
    with pytest.raises(ConfigError, match="is damaged"):
        fetch_model(settings)


@pytest.mark.usefixtures("store")
def test_a_store_of_another_recipe_is_refused(tmp_path: Path) -> None:
    """A model of another recipe is refused, with the command that builds it again."""
    folder = tmp_path / "store"
    build_model(ModelSettings(precision="fp32"), to=str(folder))
    (manifest,) = folder.rglob("manifest.json")
    manifest.write_text(manifest.read_text().replace('"recipe": 1', '"recipe": 99999'))
    settings = ModelSettings(precision="fp32", cache_dir=tmp_path / "cache", store=str(folder))
    with pytest.raises(ConfigError, match=r"TICKETS_MODEL__STORE: .* model build --to"):
        fetch_model(settings)


def test_the_pinned_stamp_is_the_only_one_that_runs(store: Path, tmp_path: Path) -> None:
    """A model with another stamp than the pinned one is refused."""
    stamp = describe(ModelSettings(precision="fp32")).stamp
    fetch_model(ModelSettings(precision="fp32", cache_dir=tmp_path, store=str(store), stamp=stamp))
    with pytest.raises(ConfigError, match="TICKETS_MODEL__STAMP: other is pinned"):
        fetch_model(ModelSettings(precision="fp32", cache_dir=tmp_path, store=str(store), stamp="other"))


def test_a_damaged_tokenizer_is_refused(store: Path, tmp_path: Path) -> None:
    """A tokenizer that does not match its hash is refused."""
    settings = ModelSettings(precision="fp32", cache_dir=tmp_path, store=str(store))
    fetch_model(settings)
    (tokenizer,) = tmp_path.rglob("tokenizer.json")
    tokenizer.write_text("{}")
    with pytest.raises(ConfigError, match=r"tokenizer\.json is damaged"):
        fetch_model(settings)


def test_a_model_without_weights_is_not_built() -> None:
    """Building a model without weights is an error."""
    with pytest.raises(ConfigError, match="nothing to build"):
        build_model(ModelSettings(name="hashing"), to=None)


def test_questions_need_the_memory_of_one_thread(tiny_model: ModelSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that embeds questions only opens one session, however many threads the settings name."""
    threads: list[int] = []

    def counting(graph: Path, device: Device, **options: int) -> list[Session]:
        threads.append(options["threads"])
        return open_sessions(graph, device, **options)

    monkeypatch.setattr("models.run.encoder.open_sessions", counting)
    settings = tiny_model.model_copy(update={"threads": 4})
    open_embedder(settings, ExitStack())
    open_question_embedder(settings, ExitStack())
    assert threads == [4, 1]
