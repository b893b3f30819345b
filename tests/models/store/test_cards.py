"""Encoders that are not built in, described by a card."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from core.errors import ConfigError
from core.model_settings import ModelSettings
from models.builder.published import read_published
from models.open import describe, load_embedder
from models.store.cards import CONFIG, TOKENIZER, WEIGHTS, ModelCard, find_card
from tests.models import tiny


def _published(folder: Path, **said: Any) -> Path:
    """A folder as the sentence-transformers library writes it."""
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


def test_a_folder_is_read_into_a_card(tmp_path: Path) -> None:
    """Pooling, maximum length and prompts come from the folder's files, and options override them."""
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
def test_both_forms_of_pooling_are_read(tmp_path: Path, saying: dict[str, Any]) -> None:
    """Older and newer versions of the library write the pooling differently."""
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
def test_an_unsupported_model_is_a_one_line_error(tmp_path: Path, change: Any, words: str) -> None:
    """The error names the fault, and the option that helps if there is one."""
    change(_published(tmp_path / "m"))
    with pytest.raises(ConfigError, match=words):
        read_published(tmp_path / "m")


def test_a_model_of_a_card_runs_with_its_prefixes(tmp_path: Path) -> None:
    """A model in the user's folder runs offline, and puts its prefixes before queries and passages."""
    folder = _published(tmp_path / "mine")
    card = read_published(folder)
    (folder / "card.json").write_bytes(msgspec.json.encode(card))
    settings = ModelSettings(cache_dir=tmp_path / "cache", card=folder / "card.json", precision="fp32")
    embedder = load_embedder(settings)
    ids = _ids(folder, "lost lost the card")
    np.testing.assert_allclose(embedder.embed(["the card"])[0], tiny.reference(folder, ids, "cls"), atol=1e-5)
    asked = _ids(folder, "card the card")
    np.testing.assert_allclose(
        embedder.embed(["the card"], "query")[0], tiny.reference(folder, asked, "cls"), atol=1e-5
    )
    assert embedder.max_tokens == 24 - 2 - 2
    described = describe(settings)
    assert (described.name, described.ready, described.stamp) == ("mine", True, embedder.stamp)


def test_a_prefix_is_part_of_the_stamp(tmp_path: Path) -> None:
    """Vectors with different prefixes are not comparable, so their stamps differ."""
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
        (b"{", "is not a valid model card"),
        (b'{"name": "../x"}', "is not a valid model card"),
        (None, "can't read"),
    ],
)
def test_a_malformed_card_is_a_one_line_error(tmp_path: Path, content: bytes | None, words: str) -> None:
    """The error names the setting and the fault."""
    if content is not None:
        (tmp_path / "card.json").write_bytes(content)
    with pytest.raises(ConfigError, match=f"TICKETS_MODEL__CARD: .*{words}"):
        find_card("ignored", tmp_path / "card.json")


def test_a_card_needs_every_hash(tmp_path: Path) -> None:
    """A card without the hash of a file is refused, as the file could not be verified."""
    card = ModelCard("m", "", {CONFIG: "0" * 64}, "mean", 24)
    (tmp_path / "card.json").write_bytes(msgspec.json.encode(card))
    with pytest.raises(ConfigError, match=r"no sha256 of model.safetensors"):
        find_card("m", tmp_path / "card.json")


def test_the_error_for_an_unknown_name_mentions_cards() -> None:
    """The error lists the built-in models, and says how to use another."""
    with pytest.raises(ConfigError, match=r"all-MiniLM-L6-v2.*ticketstream model card"):
        find_card("bge-large")


def _ids(folder: Path, text: str) -> list[int]:
    """The ids of a text, special tokens included."""
    from models.run.tokenise import load_tokenizer  # noqa: PLC0415

    ids: list[int] = load_tokenizer(folder / TOKENIZER, max_length=24).encode(text).ids
    return ids
