"""Collections on disk, each an embedded shard; answered writes survive SIGKILL."""

import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import qdrant_edge as edge
from qdrant_client import grpc as q

from connectors.qdrant.layout import TERMS, VECTOR
from connectors.qdrant.shard import finds_terms
from tests.rigs.qdrant_facade import convert

_PARAMS: Final = "params"
_SHARD: Final = "shard"


class Collection:
    """A collection's vector parameters, as given on creation, and its points."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._folder = folder
        self.params = q.VectorParams.FromString((folder / _PARAMS).read_bytes())
        self.shard = edge.EdgeShard.load(str(folder / _SHARD))
        self.fields: dict[str, Any] = {}  # indexed since the start; a restart has an adapter index them again

    @classmethod
    def create(cls, folder: Path, params: Any, *, terms: bool = True) -> "Collection":
        """Create it in a temporary folder and rename that, so a kill leaves nothing partial.

        `terms`: whether its points can have terms.
        """
        draft = folder.with_name(f".{folder.name}")
        draft.mkdir(parents=True)
        vectors = {VECTOR: edge.EdgeVectorParams(size=params.size, distance=edge.Distance.Cosine)}
        sparse = {TERMS: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)} if terms else None
        edge.EdgeShard.create(str(draft / _SHARD), edge.EdgeConfig(vectors=vectors, sparse_vectors=sparse)).close()
        (draft / _PARAMS).write_bytes(params.SerializeToString())
        draft.rename(folder)
        return cls(folder)

    @property
    def has_terms(self) -> bool:
        """Whether its points can have terms."""
        return finds_terms(self.shard)

    def add_terms(self) -> None:
        """Give its points room for terms. Idempotent."""
        with self._lock:
            self.shard.update(edge.UpdateOperation.create_sparse_vector(TERMS, edge.Modifier.Idf))
            self.shard.flush()

    def index(self, field: str, *, integer: bool) -> None:
        """Index a payload field. Idempotent."""
        kind = edge.PayloadSchemaType.Integer if integer else edge.PayloadSchemaType.Keyword
        with self._lock:
            self.shard.update(edge.UpdateOperation.create_field_index(field, kind))

    def apply(self, operations: Sequence[Any], wrote: Callable[[int], None]) -> None:
        """Apply operations in order under one lock; `wrote` is called with the number of points of each upsert."""
        with self._lock:
            for operation in operations:
                if operation.HasField("delete_points"):
                    wanted = convert.filter_(operation.delete_points.points.filter)
                    self.shard.update(edge.UpdateOperation.delete_points_by_filter(wanted))
                    continue
                upsert = operation.upsert
                points = [convert.point(point) for point in upsert.points]
                condition = convert.filter_(upsert.update_filter)
                self.shard.update(edge.UpdateOperation.upsert_points(points, condition=condition))
                wrote(len(points))

    def save(self, to: Path) -> None:
        """Copy the collection to the new folder `to`."""
        with self._lock:
            self.shard.flush()
            shutil.copytree(self._folder, to)

    def close(self) -> None:
        """Close the shard."""
        with self._lock:
            self.shard.close()


def open_collections(folder: Path) -> dict[str, Collection]:
    """Open the collections in `folder`, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    return {path.name: Collection(path) for path in folder.iterdir() if not path.name.startswith(".")}
