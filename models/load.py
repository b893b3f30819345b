"""An embedder from settings: weights, artefact, sessions."""

from pathlib import Path
from typing import Final

from msgspec import Struct

from core.ports import Embedder
from core.settings import ModelSettings
from models.artefact import Artefact, find_artefact, require_artefact
from models.catalogue import TOKENIZER, ModelCard, find_card
from models.encoder import OnBatch, OnnxEmbedder
from models.files import Report, make_folder, silent
from models.hashing import HashingEmbedder
from models.precision import Precision, choose
from models.weights import require_weights

HASHING: Final = "hashing"


class ModelDescription(Struct, frozen=True):
    """What the settings name. `stamp` and `dimension` are None before it is built."""

    name: str
    ready: bool
    max_tokens: int
    folder: Path | None = None
    stamp: str | None = None
    dimension: int | None = None


def load_embedder(
    settings: ModelSettings, *, progress: Report | None = None, on_batch: OnBatch | None = None
) -> Embedder:
    """Fetch, verify and build what is missing; then load.

    Args:
        settings: which model, and where its files are kept.
        progress: told of fetching and building.
        on_batch: told tokens and padding of each run of the model.

    Raises:
        ConfigError: a file is damaged, or the cache can't be written.
        UnavailableError: the weights can't be had.
    """
    if settings.name == HASHING:
        return HashingEmbedder(on_batch=on_batch)
    artefact = fetch(settings, progress=progress)
    assert artefact is not None  # noqa: S101 - only the hashing embedder has none
    tokenizer = _weights_folder(settings) / TOKENIZER
    return OnnxEmbedder(artefact, tokenizer, threads=settings.threads, on_batch=on_batch)


def fetch(settings: ModelSettings, *, progress: Report | None = None) -> Artefact | None:
    """Have weights and artefact in the cache, verified; None for a model that needs none.

    Raises:
        ConfigError: a file is damaged, or the cache can't be written.
        UnavailableError: the weights can't be had.
    """
    if settings.name == HASHING:
        return None
    card, weights, report = find_card(settings.name), _weights_folder(settings), progress or silent
    make_folder(weights)
    require_weights(card, weights, report=report)
    precision = choose(settings.precision)
    return require_artefact(card, weights, _artefact_folder(settings, precision), precision=precision, report=report)


def describe(settings: ModelSettings) -> ModelDescription:
    """What is there, without fetching or building anything.

    Raises:
        ConfigError: the artefact is damaged.
    """
    if settings.name == HASHING:
        embedder = HashingEmbedder()
        return ModelDescription(HASHING, True, embedder.max_tokens, None, embedder.stamp, embedder.dimension)
    card = find_card(settings.name)
    precision = choose(settings.precision)
    folder = _artefact_folder(settings, precision)
    artefact = find_artefact(card, precision, folder)
    if artefact is None:
        return ModelDescription(card.name, False, _max_tokens(card), folder)
    manifest = artefact.manifest
    return ModelDescription(card.name, True, _max_tokens(card), folder, manifest.stamp, manifest.dimension)


def _max_tokens(card: ModelCard) -> int:
    """The special tokens [CLS] and [SEP] take two."""
    return card.max_length - 2


def _weights_folder(settings: ModelSettings) -> Path:
    return settings.cache_dir / "models" / settings.name / "weights"


def _artefact_folder(settings: ModelSettings, precision: Precision) -> Path:
    return settings.cache_dir / "models" / settings.name / precision
