"""Other encoders than ours, described by a card."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from core.errors import ConfigError
from core.settings import ModelSettings
from models.builder.published import read_published
from models.open import describe, load_embedder
from models.store.cards import CONFIG, TOKENIZER, WEIGHTS, ModelCard, find_card
from tests.models import tiny


def _published(folder: Path, **said: Any) -> Path:
    """As the sentence-transformers library saves a model."""
    tiny.make(folder)
    kinds = said.get("modules", ["models.Transformer", "models.Pooling", "models.Normalize"])
    modules = [
        {"path": f"{n}_{k.rpartition('.')[2]}", "type": f"sentence_transformers.{k}"} for n, k in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    pooling = said.get("pooling", {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False})
    (folder / "1_Pooling" / CONFIG).write_text(json.dumps(pooling))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 24}')
    prompts = {"query": "card ", "document": "lost lost "}
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
    return folder


def test_a_folder_says_what_its_model_is(tmp_path: Path) -> None:
    """Pooling, longest input and prompts out of its own files; options win."""
    card = read_published(_published(tmp_path / "bge-tiny"))
    assert (card.name, card.pooling, card.max_length) == ("bge-tiny", "cls", 24)
    assert (card.query_prefix, card.passage_prefix) == ("card ", "lost lost ")
    assert sorted(card.files) == sorted([CONFIG, WEIGHTS, TOKENIZER])
    given = read_published(
        tmp_path / "bge-tiny", name="other", pooling="mean", max_length=16, query_prefix="", passage_prefix="the "
    )
    assert (given.name, given.pooling, given.max_length) == ("other", "mean", 16)
    assert (given.query_prefix, given.passage_prefix) == ("", "the ")


@pytest.mark.parametrize("saying", [{"pooling_mode": "mean"}, {"pooling_mode_mean_tokens": True}])
def test_pooling_is_said_in_two_ways(tmp_path: Path, saying: dict[str, Any]) -> None:
    """By older and newer versions of the library."""
    assert read_published(_published(tmp_path / "m", pooling=saying)).pooling == "mean"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: (f / WEIGHTS).unlink(), "has no model.safetensors; weights in another format"),
        (lambda f: (f / "1_Pooling" / CONFIG).write_text('{"pooling_mode_max_tokens": true}'), "pass --pooling"),
        (lambda f: (f / "modules.json").unlink(), "pass --pooling"),
        (lambda f: (f / "modules.json").write_text('[{"path": "", "type": "x.Dense"}]'), "Dense is not supported"),
        (lambda f: (f / "sentence_bert_config.json").write_text("{"), "is not JSON"),
        (lambda f: (f / "sentence_bert_config.json").write_text('{"max_seq_length": 3}'), "max_length"),
        (lambda f: (f / CONFIG).write_text('{"hidden_act": "relu"}'), "hidden_act"),
    ],
)
def test_what_cannot_be_built_is_said(tmp_path: Path, change: Any, words: str) -> None:
    """In one line, and which option helps."""
    change(_published(tmp_path / "m"))
    with pytest.raises(ConfigError, match=words):
        read_published(tmp_path / "m")


def test_a_card_s_model_runs_with_its_prefixes(tmp_path: Path) -> None:
    """From a folder of the user's, without a hub; a question and a text that read the same are two things."""
    folder = _published(tmp_path / "mine")
    card = read_published(folder)
    (folder / "card.json").write_bytes(msgspec.json.encode(card))
    settings = ModelSettings(cache_dir=tmp_path / "cache", card=folder / "card.json", precision="fp32")
    embedder = load_embedder(settings)
    ids = load_ids(folder, "lost lost the card")
    np.testing.assert_allclose(embedder.embed(["the card"])[0], tiny.reference(folder, ids, "cls"), atol=1e-5)
    asked = load_ids(folder, "card the card")
    np.testing.assert_allclose(
        embedder.embed(["the card"], "query")[0], tiny.reference(folder, asked, "cls"), atol=1e-5
    )
    assert embedder.max_tokens == 24 - 2 - 2
    described = describe(settings)
    assert (described.name, described.ready, described.stamp) == ("mine", True, embedder.stamp)


def test_a_prefix_is_part_of_the_stamp(tmp_path: Path) -> None:
    """Vectors with and without it don't compare, so the graph is built anew and the index refuses it."""
    folder, stamps = _published(tmp_path / "mine"), set()
    for prefix in ("", "the "):
        card = read_published(folder, passage_prefix=prefix)
        (folder / "card.json").write_bytes(msgspec.json.encode(card))
        settings = ModelSettings(cache_dir=tmp_path / "cache", card=folder / "card.json", precision="fp32")
        stamps.add(load_embedder(settings).stamp)
    assert len(stamps) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is no model card"),
        (b'{"name": "../x"}', "is no model card"),
        (None, "can't read"),
    ],
)
def test_a_bad_card_is_said(tmp_path: Path, content: bytes | None, words: str) -> None:
    """In one line."""
    if content is not None:
        (tmp_path / "card.json").write_bytes(content)
    with pytest.raises(ConfigError, match=f"TICKETS_MODEL__CARD: .*{words}"):
        find_card("ignored", tmp_path / "card.json")


def test_a_card_needs_every_hash(tmp_path: Path) -> None:
    """Nothing is run unverified."""
    card = ModelCard("m", "", {CONFIG: "0" * 64}, "mean", 24)
    (tmp_path / "card.json").write_bytes(msgspec.json.encode(card))
    with pytest.raises(ConfigError, match=r"no sha256 of model.safetensors"):
        find_card("m", tmp_path / "card.json")


def test_an_unknown_name_is_told_of_cards() -> None:
    """And of what there is."""
    with pytest.raises(ConfigError, match=r"all-MiniLM-L6-v2.*ticketstream model card"):
        find_card("bge-large")


def load_ids(folder: Path, text: str) -> list[int]:
    """With the special tokens."""
    from models.run.tokenise import load_tokenizer  # noqa: PLC0415

    ids: list[int] = load_tokenizer(folder / TOKENIZER, max_length=24).encode(text).ids
    return ids
