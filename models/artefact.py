"""A built graph and the manifest that says what it is: made once, verified at every start.

The manifest's hash is the model stamp of every point: vectors of one stamp are comparable, others are not.
"""

import hashlib
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from core.errors import ConfigError
from models.catalogue import CONFIG, TOKENIZER, WEIGHTS, ModelCard
from models.files import Report, one_at_a_time, sha256_of, silent, unwritable
from models.recipe import RECIPE_VERSION

GRAPH: Final = "graph.onnx"
MANIFEST: Final = "manifest.json"


class Manifest(Struct, frozen=True, kw_only=True):
    """What made a graph, and what it hashes to. All hashes are sha256, in hexadecimal."""

    model: str
    weights: str
    tokenizer: str
    recipe: int
    precision: str
    pooling: str
    dimension: int
    max_length: int
    graph: str

    @property
    def stamp(self) -> str:
        """Model, precision and the beginning of the manifest's own hash."""
        digest = hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()
        return f"{self.model}/{self.precision}/{digest[:12]}"


class Artefact(Struct, frozen=True):
    """A verified graph on disk."""

    manifest: Manifest
    graph: Path


def find_artefact(card: ModelCard, folder: Path) -> Artefact | None:
    """The artefact in `folder`, verified, or None when there is none, or one that other code or weights made.

    Raises:
        ConfigError: the graph is not the one its manifest names.
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    if manifest != _manifest(card, manifest.dimension, manifest.graph):
        return None
    graph = folder / GRAPH
    if not graph.is_file() or sha256_of(graph) != manifest.graph:
        raise ConfigError(f"{graph} is damaged: its sha256 is not its manifest's; delete {folder}, it is built anew")
    return Artefact(manifest, graph)


def require_artefact(card: ModelCard, weights: Path, folder: Path, *, report: Report = silent) -> Artefact:
    """The artefact in `folder`; built from the verified files in `weights` when it isn't there.

    Raises:
        ConfigError: the graph is damaged, the weights are of no encoder we can build, or the folder can't be written.
    """
    found = find_artefact(card, folder)
    if found is not None:
        return found
    with one_at_a_time(folder):
        return find_artefact(card, folder) or _build(card, weights, folder, report)


def _build(card: ModelCard, weights: Path, folder: Path, report: Report) -> Artefact:
    from models.bert import read_shape, read_tensors  # noqa: PLC0415 - needed once per machine, and slow to import
    from models.graph import FloatLinears, build_graph  # noqa: PLC0415 - likewise

    label = f"building {card.name}"
    report(label, 0, None)
    shape = read_shape(weights / CONFIG)
    graph = build_graph(
        shape,
        read_tensors(weights / WEIGHTS),
        pooling=card.pooling,
        max_length=card.max_length,
        linears=FloatLinears(),
    )
    manifest = _manifest(card, shape.hidden, hashlib.sha256(graph).hexdigest())
    try:
        for name, content in ((GRAPH, graph), (MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))):
            draft = folder / f"{name}.draft"
            draft.write_bytes(content)
            draft.replace(folder / name)  # the manifest last: without it there is no artefact
    except OSError as error:
        raise unwritable(folder, error) from None
    report(label, len(graph), len(graph))
    return Artefact(manifest, folder / GRAPH)


def _manifest(card: ModelCard, dimension: int, graph: str) -> Manifest:
    return Manifest(
        model=card.name,
        weights=card.files[WEIGHTS],
        tokenizer=card.files[TOKENIZER],
        recipe=RECIPE_VERSION,
        precision="fp32",
        pooling=card.pooling,
        dimension=dimension,
        max_length=card.max_length,
        graph=graph,
    )
