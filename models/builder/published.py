"""Reads a model card from a folder of the sentence-transformers library, as published on the model hub."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec
from msgspec import Struct

from core.errors import ConfigError
from models.builder.bert import read_shape
from models.store.cards import CONFIG, FILES, WEIGHTS, ModelCard
from models.store.files import sha256_of

_MODULES: Final = "modules.json"
_LENGTH: Final = "sentence_bert_config.json"
_PROMPTS: Final = "config_sentence_transformers.json"
#: Modules of the library that the graph implements.
_SUPPORTED: Final = frozenset({"Transformer", "Pooling", "Normalize"})
#: Flags of older versions of the library, and the value of `pooling_mode` that newer ones write.
_POOLINGS: Final = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


class _Module(Struct):
    path: str
    type: str


class _Length(Struct):
    max_seq_length: int | None = None


class _Prompts(Struct):
    prompts: dict[str, str] | None = None


class _Positions(Struct):
    max_position_embeddings: int


T = TypeVar("T")


def read_published(
    folder: Path,
    *,
    name: str | None = None,
    pooling: Literal["mean", "cls"] | None = None,
    max_length: int | None = None,
    query_prefix: str | None = None,
    passage_prefix: str | None = None,
) -> ModelCard:
    """The card of the model in `folder`; arguments override the values in its files.

    Raises:
        ConfigError: a file is missing or describes something unsupported, or the pooling mode isn't known.
    """
    for file in FILES:
        if not (folder / file).is_file():
            other = "; weights in another format can't be read" if file == WEIGHTS else ""
            raise ConfigError(f"{folder} has no {file}{other}")
    read_shape(folder / CONFIG)
    modules = _read(folder / _MODULES, list[_Module]) or []
    unknown = [module.type for module in modules if module.type.rpartition(".")[2] not in _SUPPORTED]
    if unknown:
        raise ConfigError(f"{folder / _MODULES}: the module {unknown[0]} is not supported")
    prompts = (_read(folder / _PROMPTS, _Prompts) or _Prompts()).prompts or {}
    passage = prompts.get("passage", prompts.get("document", ""))
    card = ModelCard(
        name=name or folder.resolve().name,
        repository="",
        files={file: sha256_of(folder / file) for file in FILES},
        pooling=pooling or _pooling(folder, modules),
        max_length=max_length or _max_length(folder),
        query_prefix=prompts.get("query", "") if query_prefix is None else query_prefix,
        passage_prefix=passage if passage_prefix is None else passage_prefix,
    )
    try:
        return msgspec.convert(msgspec.to_builtins(card), ModelCard)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{folder}: {error}; set it with an option") from None


def _max_length(folder: Path) -> int:
    found = (_read(folder / _LENGTH, _Length) or _Length()).max_seq_length
    if found is not None:
        return found
    positions = _read(folder / CONFIG, _Positions)
    assert positions is not None  # noqa: S101 - for mypy: `read_published` has seen the file
    return positions.max_position_embeddings


def _pooling(folder: Path, modules: Sequence[_Module]) -> Literal["mean", "cls"]:
    paths = [folder / module.path / CONFIG for module in modules if module.type.endswith("Pooling")]
    config = (_read(paths[0], dict[str, object]) if paths else None) or {}
    found: set[object] = {mode for flag, mode in _POOLINGS.items() if config.get(flag)} or {config.get("pooling_mode")}
    if found == {"mean"}:
        return "mean"
    if found == {"cls"}:
        return "cls"
    raise ConfigError(
        f"{folder} names no supported pooling mode (mean or cls); pass --pooling, as the model's description says"
    )


def _read(file: Path, kind: type[T]) -> T | None:
    """The content of a JSON file, or None without it.

    Raises:
        ConfigError: it is not JSON, or not of this kind.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{file}: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ConfigError(f"{file} is not JSON") from None
