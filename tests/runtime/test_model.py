"""A model built on one machine runs on another that has no weights. Skipped where its weights can't be had."""

import os
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigError, UnavailableError
from core.settings import ModelSettings
from models.open import describe
from runtime.model import build_model, fetch_model, open_embedder

TEXTS = ["I can't sign in", "Rechnung doppelt erhalten"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the default model in fp32."""
    folder = tmp_path_factory.mktemp("store")
    try:
        build_model(ModelSettings(precision="fp32"), to=str(folder))
    except UnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no weights: {error}")
    return folder


def test_another_machine_runs_it_without_weights(store: Path, tmp_path: Path) -> None:
    """The same stamp and the same vectors; only graph, manifest and tokenizer are there."""
    elsewhere = ModelSettings(precision="fp32", cache_dir=tmp_path, store=str(store))
    here, there = open_embedder(ModelSettings(precision="fp32")), open_embedder(elsewhere)
    assert there.stamp == here.stamp
    np.testing.assert_array_equal(there.embed(TEXTS), here.embed(TEXTS))
    assert not list(tmp_path.rglob("model.safetensors"))


@pytest.mark.usefixtures("store")
def test_a_store_whose_graph_was_changed_is_refused(tmp_path: Path) -> None:
    """The manifest's hash decides, not the store."""
    settings = ModelSettings(precision="fp32", cache_dir=tmp_path / "cache", store=str(tmp_path / "store"))
    build_model(ModelSettings(precision="fp32"), to=settings.store)
    (graph,) = (tmp_path / "store").rglob("graph.onnx")
    graph.write_bytes(graph.read_bytes()[:-1] + b"\x00")
    with pytest.raises(ConfigError, match="is damaged"):
        fetch_model(settings)


@pytest.mark.usefixtures("store")
def test_a_store_of_another_recipe_is_refused(tmp_path: Path) -> None:
    """In words that say how to mend it."""
    folder = tmp_path / "store"
    build_model(ModelSettings(precision="fp32"), to=str(folder))
    (manifest,) = folder.rglob("manifest.json")
    manifest.write_text(manifest.read_text().replace('"recipe": 1', '"recipe": 99999'))
    settings = ModelSettings(precision="fp32", cache_dir=tmp_path / "cache", store=str(folder))
    with pytest.raises(ConfigError, match=r"TICKETS_MODEL__STORE: .* model build --to"):
        fetch_model(settings)


def test_the_pinned_stamp_is_the_only_one_that_runs(store: Path, tmp_path: Path) -> None:
    """Also where manifest and graph were both exchanged."""
    stamp = describe(ModelSettings(precision="fp32")).stamp
    fetch_model(ModelSettings(precision="fp32", cache_dir=tmp_path, store=str(store), stamp=stamp))
    with pytest.raises(ConfigError, match="TICKETS_MODEL__STAMP: other is pinned"):
        fetch_model(ModelSettings(precision="fp32", cache_dir=tmp_path, store=str(store), stamp="other"))


def test_a_damaged_tokenizer_is_refused(store: Path, tmp_path: Path) -> None:
    """It decides the vectors as much as the graph."""
    settings = ModelSettings(precision="fp32", cache_dir=tmp_path, store=str(store))
    fetch_model(settings)
    (tokenizer,) = tmp_path.rglob("tokenizer.json")
    tokenizer.write_text("{}")
    with pytest.raises(ConfigError, match=r"tokenizer\.json is damaged"):
        fetch_model(settings)


def test_a_model_without_weights_is_not_built() -> None:
    """One line instead."""
    with pytest.raises(ConfigError, match="nothing to build"):
        build_model(ModelSettings(name="hashing"), to=None)
