"""An embedder from settings: weights, artefact, sessions."""

from pathlib import Path
from typing import Final

from msgspec import Struct

from core.errors import ConfigError
from core.protocols import Embedder, ModelTokenizer
from core.settings import ModelSettings
from models.device import choose_device
from models.precision import Precision, choose
from models.run.encoder import OnBatch, OnnxEmbedder
from models.run.hashing import HashingEmbedder
from models.run.tokenise import TextTokenizer
from models.run.tuning import DEFAULT, Tuning
from models.store.artefact import MANIFEST, Artefact, find_artefact
from models.store.cards import TOKENIZER, ModelCard, find_card
from models.store.files import Report, make_folder, sha256_of, silent
from models.store.weights import Folder, Hub, PackageIndex, require_weights

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
        on_batch: told tokens, padding and seconds of each run of the model.

    Raises:
        ConfigError: a file is damaged, or the cache can't be written.
        UnavailableError: the weights can't be had.
    """
    artefact = fetch(settings, progress=progress)
    if artefact is None:
        return HashingEmbedder(on_batch=on_batch)
    return OnnxEmbedder(
        artefact,
        weights_folder(settings) / TOKENIZER,
        device=choose_device(settings.device),
        threads=settings.threads,
        tuning=_pinned(settings),
        on_batch=on_batch,
    )


def load_text_tokenizer(settings: ModelSettings) -> ModelTokenizer:
    """The model's tokenizer alone, for a stage that cuts texts and embeds none.

    Raises:
        ConfigError: a file is damaged, or the cache can't be written.
        UnavailableError: the weights can't be had.
    """
    artefact = fetch(settings)
    if artefact is None:
        return HashingEmbedder()
    manifest = artefact.manifest
    return TextTokenizer(
        weights_folder(settings) / TOKENIZER,
        max_length=manifest.max_length,
        prefixes=[manifest.passage_prefix, manifest.query_prefix],
    )


def fetch(settings: ModelSettings, *, progress: Report | None = None) -> Artefact | None:
    """Have artefact and tokenizer in the cache, verified; None for a model that needs none.

    The weights are needed, and fetched, only where the artefact has to be built.

    Raises:
        ConfigError: a file is damaged, or the cache can't be written.
        UnavailableError: the weights can't be had.
    """
    if needs_none(settings):
        return None
    return _ready(settings) or build(settings, progress=progress, anew=False)


def build(settings: ModelSettings, *, progress: Report | None = None, anew: bool = True) -> Artefact:
    """Build the graph from the verified weights, fetched when they are missing.

    Args:
        settings: which model, and where its files are kept.
        progress: told of fetching and building.
        anew: also where there is one already.

    Raises:
        ConfigError: a file is damaged, or the cache can't be written.
        UnavailableError: the weights can't be had.
    """
    from models.builder.build import require_artefact  # noqa: PLC0415 - needed once a machine, and slow to import

    card, weights, report = card_of(settings), weights_folder(settings), progress or silent
    make_folder(weights)
    sources = (Folder(settings.card.parent), Hub()) if settings.card else (Hub(), PackageIndex())
    require_weights(card, weights, report=report, sources=sources)
    folder = artefact_folder(settings)
    if anew:
        (folder / MANIFEST).unlink(missing_ok=True)
    return require_artefact(card, weights, folder, precision=precision_of(settings), report=report)


def describe(settings: ModelSettings) -> ModelDescription:
    """What is there, without fetching or building anything.

    Raises:
        ConfigError: the artefact is damaged.
    """
    if needs_none(settings):
        embedder = HashingEmbedder()
        return ModelDescription(HASHING, True, embedder.max_tokens, None, embedder.stamp, embedder.dimension)
    card = card_of(settings)
    folder, artefact = artefact_folder(settings), _ready(settings)
    if artefact is None:
        return ModelDescription(card.name, False, _max_tokens(card), folder)
    manifest = artefact.manifest
    return ModelDescription(card.name, True, _max_tokens(card), folder, manifest.stamp, manifest.dimension)


def _pinned(settings: ModelSettings) -> Tuning | None:
    if settings.batch_tokens is None:
        return None
    return Tuning(settings.batch_tokens, DEFAULT.overhead_tokens)


def _max_tokens(card: ModelCard) -> int:
    """The special tokens [CLS] and [SEP] take two."""
    return card.max_length - 2


def needs_none(settings: ModelSettings) -> bool:
    """Whether the settings name the embedder without weights."""
    return settings.card is None and settings.name == HASHING


def card_of(settings: ModelSettings) -> ModelCard:
    """The card of the settings' model.

    Raises:
        ConfigError: there is none, or it can't be read.
    """
    return find_card(settings.name, settings.card)


def precision_of(settings: ModelSettings) -> Precision:
    """The settings' precision, or what suits the settings' device.

    Raises:
        ConfigError: a GPU is asked for and can't be had.
    """
    return choose(settings.precision, choose_device(settings.device))


def weights_folder(settings: ModelSettings) -> Path:
    """Where the verified weights and the tokenizer of the settings' model are kept."""
    return settings.cache_dir / "models" / card_of(settings).name / "weights"


def artefact_folder(settings: ModelSettings) -> Path:
    """Where the graph of the settings' model and precision is kept, with its manifest."""
    return settings.cache_dir / "models" / card_of(settings).name / precision_of(settings)


def _ready(settings: ModelSettings) -> Artefact | None:
    """The verified artefact, if it and its verified tokenizer are in the cache."""
    card, tokenizer = card_of(settings), weights_folder(settings) / TOKENIZER
    artefact = find_artefact(card, precision_of(settings), artefact_folder(settings))
    if artefact is None or not tokenizer.is_file():
        return None
    if sha256_of(tokenizer) != card.files[TOKENIZER]:
        raise ConfigError(f"{tokenizer} is damaged: its sha256 is not that of {card.name}; delete it")
    return artefact
