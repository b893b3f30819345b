"""A shard of the embedded engine: creates it, opens it, and adds what an earlier version's lacks."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import qdrant_edge as edge

from connectors.qdrant.copying import read_ahead
from connectors.qdrant.layout import TERMS, VECTOR
from connectors.qdrant.shard_config import field_indexes, search_threads
from connectors.qdrant.sizes import SIZES
from core.errors import ConfigError, FatalError

#: Advice on an index that can't be used.
START_OVER: Final = (
    "set it to a new folder and TICKETS_KAFKA__GROUP to a new group, and the topic is indexed from the start"
)


def create_shard(shard: Path, dimension: int) -> None:
    """Create under another name and rename, so that a crash leaves no incomplete shard."""
    draft = shard.with_name(f"{shard.name}.draft")
    if draft.exists():
        shutil.rmtree(draft)
    params = edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Cosine)
    terms = edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)
    threads = search_threads(0, dimension=dimension)
    config = edge.EdgeConfig(vectors={VECTOR: params}, sparse_vectors={TERMS: terms}, max_search_threads=threads)
    created = edge.EdgeShard.create(str(draft), config)
    for field, kind in field_indexes(SIZES["medium"]).items():
        created.update(edge.UpdateOperation.create_field_index(field, kind))
    created.flush()
    created.close()
    draft.rename(shard)


def load_shard(shard: Path, *, original: Path | None = None) -> edge.EdgeShard:
    """Open a shard.

    Args:
        shard: its folder.
        original: the folder to name in an error, if `shard` is a copy of it.

    Raises:
        ConfigError: the shard can't be read.
    """
    try:
        read_ahead(shard)
        return edge.EdgeShard.load(str(shard))
    except BaseException as error:
        if not is_engine_error(error):
            raise
        raise ConfigError(
            f"TICKETS_INDEX__PATH: {original or shard} can't be opened ({first_line(error)}); {START_OVER}"
        ) from None


def complete_shard(shard: edge.EdgeShard) -> None:
    """Add the terms and the payload indexes that a shard of an earlier version lacks."""
    if not finds_terms(shard):
        shard.update(edge.UpdateOperation.create_sparse_vector(TERMS, edge.Modifier.Idf))
    there = shard.info().payload_schema
    lacking = {field: kind for field, kind in field_indexes(SIZES["medium"]).items() if field not in there}
    for field, kind in lacking.items():
        shard.update(edge.UpdateOperation.create_field_index(field, kind))
    if lacking:
        shard.flush()


def finds_terms(shard: edge.EdgeShard) -> bool:
    """Whether the shard has terms; one that an earlier version wrote has none until a worker opens it."""
    nothing = edge.Query.Nearest(edge.SparseVector([0], [1.0]), using=TERMS)
    try:
        shard.query(edge.QueryRequest(limit=1, query=nothing))
    except BaseException as error:
        if not is_engine_error(error):
            raise
        return False
    return True


def is_engine_error(error: BaseException) -> bool:
    """Whether the engine raised it: a plain `Exception`, or its private PanicException, a BaseException."""
    return type(error) is Exception or type(error).__name__ == "PanicException"


def first_line(error: BaseException) -> str:
    """The first line of the engine's message, at most 160 characters."""
    return (str(error).splitlines() or ["no details"])[0][:160]


@contextmanager
def translated() -> Iterator[None]:
    """Raise the engine's errors (full disk, damaged file, bug) as FatalError, because no retry fixes them."""
    try:
        yield
    except OSError as error:
        raise FatalError(f"the embedded index: {error.strerror}") from error
    except BaseException as error:
        if not is_engine_error(error):
            raise
        raise FatalError(f"the embedded index: {first_line(error)}") from error
