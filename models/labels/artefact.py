"""A label model on disk: weights and a manifest, verified at every start, without code in it (no pickle)."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np
from msgspec import UNSET, Struct, UnsetType
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from core.errors import ConfigError
from core.records import LabelKind
from models.labels.linear import NEVER, Calibration, LabelModel, LinearHead
from models.labels.words import Vocabulary, WordWeights

WEIGHTS: Final = "labels.safetensors"
MANIFEST: Final = "manifest.json"
SETTING: Final = "TICKETS_CLASSIFY__MODEL"


class HeadCard(Struct, frozen=True, kw_only=True):
    """The part of a manifest about one kind of label.

    Attributes:
        examples: number of tickets that it was fitted to.
        thresholds: minimum confidence of each label, by label, sorted; null means never.
        vocabulary: number of terms that have weights; unset if words don't count, as in earlier versions.
    """

    examples: int
    calibration: Calibration
    thresholds: dict[str, float | None]
    vocabulary: int | UnsetType = UNSET


class LabelManifest(Struct, frozen=True, kw_only=True):
    """The origin of a label model, and the hash of its weights.

    Attributes:
        format: 1 has no words, and is still supported.
        model: stamp of the embedding model whose vectors can be labelled.
        precision: the share of right labels that the thresholds were chosen for.
        weights: sha256 of the weights, in hexadecimal.
    """

    format: Literal[1, 2] = 2
    model: str
    dimension: int
    precision: float
    weights: str
    heads: dict[LabelKind, HeadCard]

    @property
    def stamp(self) -> str:
        """The first 12 digits of the manifest's own hash."""
        return f"labels/{hashlib.sha256(msgspec.json.encode(self, order='sorted')).hexdigest()[:12]}"


def save_label_model(
    folder: Path,
    heads: Mapping[LabelKind, LinearHead],
    examples: Mapping[LabelKind, int],
    *,
    model: str,
    precision: float,
) -> LabelManifest:
    """Write a label model into a new folder: the weights, then the manifest, each completely or not at all.

    Raises:
        ConfigError: the folder holds one already, or is not writable.
    """
    require_new_folder(folder)
    tensors: dict[str, NDArray[np.generic]] = {}
    for kind, head in heads.items():
        tensors[f"{kind}.weights"] = np.ascontiguousarray(head.weights, np.float32)
        tensors[f"{kind}.bias"] = np.ascontiguousarray(head.bias, np.float32)
        if head.words is not None:
            tensors[f"{kind}.terms"] = head.words.vocabulary.terms
            tensors[f"{kind}.rarity"] = np.ascontiguousarray(head.words.vocabulary.rarity, np.float32)
            tensors[f"{kind}.words"] = np.ascontiguousarray(head.words.weights, np.float32)
    content = save_tensors(tensors)
    manifest = LabelManifest(
        model=model,
        dimension=next(iter(heads.values())).weights.shape[0],
        precision=precision,
        weights=hashlib.sha256(content).hexdigest(),
        heads={
            kind: HeadCard(
                examples=examples[kind],
                calibration=head.calibration,
                vocabulary=UNSET if head.words is None else len(head.words.vocabulary.terms),
                thresholds={
                    name: None if threshold >= NEVER else float(threshold)
                    for name, threshold in zip(head.names, head.thresholds, strict=True)
                },
            )
            for kind, head in heads.items()
        },
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in ((WEIGHTS, content), (MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))):
            draft = folder / f"{name}.draft"
            draft.write_bytes(data)
            draft.replace(folder / name)
    except OSError as error:
        raise ConfigError(f"--to {folder}: can't write it ({(error.strerror or '').lower()})") from None
    return manifest


def require_new_folder(folder: Path) -> None:
    """Check that a label model would not replace another one.

    Raises:
        ConfigError: it would, or the folder is a file.
    """
    if (folder / MANIFEST).exists():
        raise ConfigError(
            f"--to {folder}: there is a label model already; give a new folder, so that you can go back to the old "
            f"model"
        )
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--to {folder}: this is a file; give a new folder")


def load_label_model(folder: Path, *, model: str, place: str = "") -> LabelModel:
    """The verified label model in `folder`, for vectors of the embedding model with the stamp `model`.

    `place` is the setting's value for messages, by default the folder.

    Raises:
        ConfigError: it is missing or damaged, or was fitted to vectors of another model; the message says what to do.
    """
    place = place or str(folder)
    manifest = read_manifest(folder, place)
    if manifest.model != model:
        raise ConfigError(
            f"{SETTING}: {place} was trained on vectors of {manifest.model}, but the model is {model}; run "
            "`ticketstream train` with this model, or set the model that it was trained on"
        )
    try:
        content = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ConfigError(f"{SETTING}: can't read {WEIGHTS} in {place} ({(error.strerror or '').lower()})") from None
    if hashlib.sha256(content).hexdigest() != manifest.weights:
        raise ConfigError(
            f"{SETTING}: {WEIGHTS} in {place} is damaged: its sha256 does not match its manifest; copy the folder "
            "again, or run `ticketstream train` again"
        )
    try:
        tensors = load_tensors(content)
        heads = {kind: _head(card, kind, tensors, manifest.dimension) for kind, card in manifest.heads.items()}
    except (SafetensorError, KeyError, ValueError):
        raise ConfigError(
            f"{SETTING}: {MANIFEST} in {place} does not fit its weights; run `ticketstream train` again"
        ) from None
    return LabelModel(heads, stamp=manifest.stamp)


def read_manifest(folder: Path, place: str) -> LabelManifest:
    """The manifest in `folder`, which is a copy of `place` or that itself.

    Raises:
        ConfigError: it is missing or malformed.
    """
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=LabelManifest)
    except OSError as error:
        why = (error.strerror or "").lower()
        raise ConfigError(
            f"{SETTING}: can't read {MANIFEST} in {place} ({why}); `ticketstream train --to FOLDER` writes one"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ConfigError(
            f"{SETTING}: {MANIFEST} in {place} is not that of a label model, or of a newer version; run "
            f"`ticketstream train` again"
        ) from None


def _head(card: HeadCard, kind: LabelKind, tensors: dict[str, np.ndarray], dimension: int) -> LinearHead:
    """The head of a kind.

    Raises:
        KeyError: its weights are missing.
        ValueError: they have another shape.
    """
    weights = tensors[f"{kind}.weights"].astype(np.float64)
    bias = tensors[f"{kind}.bias"].astype(np.float64)
    names = tuple(sorted(card.thresholds))
    if weights.shape != (dimension, len(names)) or bias.shape != (len(names),):
        raise ValueError(kind)
    found = (card.thresholds[name] for name in names)
    thresholds = np.array([NEVER if threshold is None else threshold for threshold in found])
    return LinearHead(names, weights, bias, card.calibration, thresholds, _words(card, kind, tensors))


def _words(card: HeadCard, kind: LabelKind, tensors: dict[str, np.ndarray]) -> WordWeights | None:
    """The weights of words, if any; raises as `_head`."""
    if card.vocabulary is UNSET:
        return None
    terms, weights = tensors[f"{kind}.terms"], tensors[f"{kind}.words"].astype(np.float64)
    rarity = tensors[f"{kind}.rarity"].astype(np.float64)
    count = card.vocabulary
    if terms.dtype != np.uint32 or terms.shape != (count,) or rarity.shape != (count,):
        raise ValueError(kind)
    if weights.shape != (count, len(card.thresholds)) or (terms[1:] <= terms[:-1]).any():
        raise ValueError(kind)
    return WordWeights(Vocabulary(terms, rarity), weights)
