"""Opens the labeller of tickets: a label model, or labelled examples."""

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from connectors.files.examples import read_examples
from connectors.model_store import Store, fetch_archive, fetch_files, open_store
from core.addresses import Address
from core.errors import ConfigError
from core.model_settings import ClassifySettings
from core.protocols import Embedder, Labeller
from core.records import LabelKind
from core.setting_types import expand_home
from models.labels.artefact import (
    MANIFEST,
    SETTING,
    WEIGHTS,
    LabelManifest,
    load_label_model,
    require_new_folder,
    save_label_model,
)
from models.labels.linear import LabelModel, LinearHead
from operators.neighbours import Examples

#: The manifest comes last: it marks the model as complete.
_FILES: Final = (WEIGHTS, MANIFEST)
#: The form in which a training job of SageMaker leaves both in S3.
_ARCHIVE: Final = ".tar.gz"


def open_labeller(settings: ClassifySettings, embedder: Embedder, *, cache: Path) -> Labeller | None:
    """The label model or the examples that the settings name, for vectors of `embedder`; None for neither.

    Args:
        settings: of the worker.
        embedder: embeds the examples.
        cache: folder for a copy of a label model in S3.

    Raises:
        ConfigError: both are named, or the file or folder is missing, malformed, damaged or of another model.
        UnavailableError: the label model can't be downloaded.
    """
    _require_one(settings)
    if settings.model is not None:
        return _load(settings.model, model=embedder.stamp, cache=cache)
    if settings.examples_file is None:
        return None
    rows = read_examples(settings.examples_file)
    return Examples.load(rows, embedder=embedder, min_confidence=settings.min_confidence)


def describe_labeller(settings: ClassifySettings, *, model: str, cache: Path) -> str:
    """A description of the labeller, which is checked as at a worker's start, but without embedding the examples.

    Raises:
        ConfigError: as `open_labeller`.
        UnavailableError: likewise.
    """
    _require_one(settings)
    if settings.model is not None:
        found = _load(settings.model, model=model, cache=cache)
        heads = ", ".join(f"{len(head.names):,} labels of {kind}" for kind, head in found.heads.items())
        return f"{found.stamp} chooses from {heads}"
    if settings.examples_file is None:
        return "no label model and no examples: tickets have the labels that their producers give them"
    return f"{len(read_examples(settings.examples_file)):,} examples in {settings.examples_file} vote"


def require_new(place: str) -> None:
    """Check that a label model written to `place` would not replace another one.

    Raises:
        ConfigError: it would, or `place` is neither a folder nor in S3.
        UnavailableError: S3 can't be read.
    """
    if not _remote(place):
        require_new_folder(expand_home(place))
        return
    store, name = _store_of(place)
    if name.endswith(_ARCHIVE):
        raise ConfigError(f"--to {place}: only a training job writes a {_ARCHIVE}; give a folder or a prefix")
    with tempfile.TemporaryDirectory() as folder:
        if store.get(f"{name}/{MANIFEST}", Path(folder) / MANIFEST):
            raise ConfigError(
                f"--to {place}: there is a label model already; give a new place, so that you can go back to the "
                f"old model"
            )


def save_labels(
    place: str,
    heads: Mapping[LabelKind, LinearHead],
    examples: Mapping[LabelKind, int],
    *,
    model: str,
    precision: float,
) -> LabelManifest:
    """Write a label model to a new folder or `s3://bucket/prefix`.

    Raises:
        ConfigError: there is one already, or the folder is not writable.
        UnavailableError: S3 can't be written.
    """
    require_new(place)
    if not _remote(place):
        return save_label_model(expand_home(place), heads, examples, model=model, precision=precision)
    store, name = _store_of(place)
    with tempfile.TemporaryDirectory() as folder:
        manifest = save_label_model(Path(folder), heads, examples, model=model, precision=precision)
        for file in _FILES:
            store.put(f"{name}/{file}", Path(folder) / file)
    return manifest


def _load(place: str, *, model: str, cache: Path) -> LabelModel:
    if not _remote(place):
        return load_label_model(expand_home(place), model=model, place=place)
    store, name = _store_of(place)
    folder = cache / "labels" / hashlib.sha256(place.encode()).hexdigest()[:12]
    if name.endswith(_ARCHIVE):
        _fetch_archive(store, name, folder, place)
    elif not fetch_files(store, name, _FILES, folder):
        raise ConfigError(
            f"{SETTING}: there is no label model in {place}; `ticketstream train --to {place}` writes one"
        )
    return load_label_model(folder, model=model, place=place)


def _fetch_archive(store: Store, name: str, folder: Path, place: str) -> None:
    try:
        found = fetch_archive(store, name, _FILES, folder)
    except ConfigError as error:
        raise ConfigError(f"{SETTING}: {error}") from None
    if not found:
        raise ConfigError(f"{SETTING}: there is no {place}; the training job's ModelArtifacts have its address")


def _remote(place: str) -> bool:
    return "://" in place


def _store_of(place: str) -> tuple[Store, str]:
    """The store that holds the label model, and its name there."""
    bucket, _, name = place.rstrip("/").rpartition("/")
    if not name or "://" not in bucket:
        raise ConfigError(f"{Address(place)!r} is neither a folder nor an s3://bucket/prefix")
    return open_store(bucket), name


def _require_one(settings: ClassifySettings) -> None:
    if settings.model is not None and settings.examples_file is not None:
        raise ConfigError("TICKETS_CLASSIFY__MODEL and TICKETS_CLASSIFY__EXAMPLES_FILE are both set; unset one of them")
