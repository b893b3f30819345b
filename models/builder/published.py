"""What a folder, as the model hub publishes sentence encoders, says of its model."""

import json
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from core.errors import ConfigError
from models.builder.bert import read_shape
from models.store.cards import CONFIG, FILES, WEIGHTS, ModelCard
from models.store.files import sha256_of

_MODULES: Final = "modules.json"
_LENGTH: Final = "sentence_bert_config.json"
_PROMPTS: Final = "config_sentence_transformers.json"
#: Modules of the sentence-transformers library that our graph does the work of.
_DONE: Final = frozenset({"Transformer", "Pooling", "Normalize"})
_POOLINGS: Final = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


def read_published(
    folder: Path,
    *,
    name: str | None = None,
    pooling: Literal["mean", "cls"] | None = None,
    max_length: int | None = None,
    query_prefix: str | None = None,
    passage_prefix: str | None = None,
) -> ModelCard:
    """The card of the model in `folder`; what is given wins over what its files say.

    Raises:
        ConfigError: a file is missing, or says what we can't build; or neither says how it pools.
    """
    for file in FILES:
        if not (folder / file).is_file():
            other = "; weights in another format can't be read" if file == WEIGHTS else ""
            raise ConfigError(f"{folder} has no {file}{other}")
    read_shape(folder / CONFIG)
    modules = _read(folder / _MODULES) or []
    unknown: list[str] = [module["type"] for module in modules if module["type"].rpartition(".")[2] not in _DONE]
    if unknown:
        raise ConfigError(f"{folder / _MODULES}: a module {unknown[0]} can't be built")
    prompts = (_read(folder / _PROMPTS) or {}).get("prompts") or {}
    passage = prompts.get("passage", prompts.get("document", ""))
    longest = max_length or (_read(folder / _LENGTH) or {}).get("max_seq_length")
    if longest is None:
        longest = _read(folder / CONFIG)["max_position_embeddings"]
    card = ModelCard(
        name=name or folder.resolve().name,
        repository="",
        files={file: sha256_of(folder / file) for file in FILES},
        pooling=pooling or _pooling(folder, modules),
        max_length=longest,
        query_prefix=prompts.get("query", "") if query_prefix is None else query_prefix,
        passage_prefix=passage if passage_prefix is None else passage_prefix,
    )
    try:
        return msgspec.convert(msgspec.to_builtins(card), ModelCard)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{folder}: {error}; say it with an option") from None


def _pooling(folder: Path, modules: list[Any]) -> Literal["mean", "cls"]:
    paths = [folder / m["path"] / CONFIG for m in modules if m["type"].endswith("Pooling")]
    said = (_read(paths[0]) if paths else None) or {}
    found: set[Any] = {mode for key, mode in _POOLINGS.items() if said.get(key)} or {said.get("pooling_mode")}
    if found == {"mean"}:
        return "mean"
    if found == {"cls"}:
        return "cls"
    raise ConfigError(f"{folder} does not say that it pools by mean or cls; its model card may: use --pooling")


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise ConfigError(f"{file} is not JSON") from None
