"""A built graph and its manifest: built once, verified at every start.

The manifest's hash is part of the model stamp of every point. Vectors are comparable only if their stamps are equal.
"""

import hashlib
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from core.errors import ConfigError
from models.precision import Precision
from models.recipe import RECIPE_VERSION
from models.store.cards import TOKENIZER, WEIGHTS, ModelCard
from models.store.files import not_writable_error, sha256_of

GRAPH: Final = "graph.onnx"
MANIFEST: Final = "manifest.json"


class Manifest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The origin of a graph, and its hash. All hashes are sha256, in hexadecimal.

    Attributes:
        calibration: hash of the ranges that int8 quantisation used; None for other precisions.
        cosine: mean cosine to the fp32 graph on a few texts, to three decimals.
    """

    model: str
    weights: str
    tokenizer: str
    recipe: int
    precision: Precision
    pooling: str
    dimension: int
    max_length: int
    calibration: str | None
    graph: str
    cosine: float
    query_prefix: str = ""
    passage_prefix: str = ""

    @property
    def stamp(self) -> str:
        """Model, precision and the first 12 digits of the manifest's own hash."""
        digest = hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()
        return f"{self.model}/{self.precision}/{digest[:12]}"


class Artefact(Struct, frozen=True):
    """A verified graph on disk."""

    manifest: Manifest
    graph: Path


def find_artefact(card: ModelCard, precision: Precision, folder: Path) -> Artefact | None:
    """The verified artefact in `folder`, or None if there is none of this card, precision and recipe.

    Raises:
        ConfigError: the graph is missing, or its hash is not the manifest's.
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not _matches(manifest, card, precision):
        return None
    graph = folder / GRAPH
    if not graph.is_file() or sha256_of(graph) != manifest.graph:
        raise ConfigError(
            f"{graph} is damaged: its sha256 does not match its manifest; delete {folder} to have it built again"
        )
    return Artefact(manifest, graph)


def save_artefact(folder: Path, manifest: Manifest, graph: bytes) -> Artefact:
    """Write graph and manifest into `folder`, each completely or not at all.

    Raises:
        ConfigError: the folder is not writable.
        UnavailableError: the disk is full.
    """
    try:
        for name, content in ((GRAPH, graph), (MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))):
            draft = folder / f"{name}.draft"
            draft.write_bytes(content)
            draft.replace(folder / name)  # the manifest last: a graph without one is ignored
    except OSError as error:
        raise not_writable_error(folder, error) from None
    return Artefact(manifest, folder / GRAPH)


def _matches(manifest: Manifest, card: ModelCard, precision: Precision) -> bool:
    """Whether the graph was built from the card's files by this recipe, and in this precision."""
    made = (manifest.model, manifest.weights, manifest.tokenizer, manifest.recipe, manifest.precision)
    wanted = (card.name, card.files[WEIGHTS], card.files[TOKENIZER], RECIPE_VERSION, precision)
    used = (manifest.pooling, manifest.max_length, manifest.query_prefix, manifest.passage_prefix)
    return made == wanted and used == (card.pooling, card.max_length, card.query_prefix, card.passage_prefix)
