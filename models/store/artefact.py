"""A built graph and the manifest that says what it is: made once, verified at every start.

The manifest's hash is the model stamp of every point: vectors of one stamp are comparable, others are not.
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
from models.store.files import sha256_of, unwritable

GRAPH: Final = "graph.onnx"
MANIFEST: Final = "manifest.json"


class Manifest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What made a graph, and what it hashes to. All hashes are sha256, in hexadecimal.

    Attributes:
        calibration: hash of the ranges that quantisation used; None for the others.
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
        """Model, precision and the beginning of the manifest's own hash."""
        digest = hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()
        return f"{self.model}/{self.precision}/{digest[:12]}"


class Artefact(Struct, frozen=True):
    """A verified graph on disk."""

    manifest: Manifest
    graph: Path


def find_artefact(card: ModelCard, precision: Precision, folder: Path) -> Artefact | None:
    """The artefact in `folder`, verified, or None when there is none, or one that other code or weights made.

    Raises:
        ConfigError: the graph is not the one its manifest names.
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    if not _is_of(manifest, card, precision):
        return None
    graph = folder / GRAPH
    if not graph.is_file() or sha256_of(graph) != manifest.graph:
        raise ConfigError(f"{graph} is damaged: its sha256 is not its manifest's; delete {folder}, it is built anew")
    return Artefact(manifest, graph)


def save_artefact(folder: Path, manifest: Manifest, graph: bytes) -> Artefact:
    """Write graph and manifest into `folder`, each whole or not at all.

    Raises:
        ConfigError: the folder can't be written.
    """
    try:
        for name, content in ((GRAPH, graph), (MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))):
            draft = folder / f"{name}.draft"
            draft.write_bytes(content)
            draft.replace(folder / name)  # the manifest last: without it there is no artefact
    except OSError as error:
        raise unwritable(folder, error) from None
    return Artefact(manifest, folder / GRAPH)


def _is_of(manifest: Manifest, card: ModelCard, precision: Precision) -> bool:
    """Made of these weights, by this recipe."""
    made = (manifest.model, manifest.weights, manifest.tokenizer, manifest.recipe, manifest.precision)
    asked = (card.name, card.files[WEIGHTS], card.files[TOKENIZER], RECIPE_VERSION, precision)
    used = (manifest.pooling, manifest.max_length, manifest.query_prefix, manifest.passage_prefix)
    return made == asked and used == (card.pooling, card.max_length, card.query_prefix, card.passage_prefix)
