"""A collection on a Qdrant server: creates it, and checks that it stores the model's vectors."""

from qdrant_client import models

from connectors.qdrant.collection_config import field_schema, hnsw_config, quantization_config, vector_params
from connectors.qdrant.connection import Connection
from connectors.qdrant.engine import NoIndexError
from connectors.qdrant.layout import INDEXED, VECTOR
from connectors.qdrant.server_terms import CONFIG, add_terms
from connectors.qdrant.sizes import SIZES, SizeClass
from core.errors import ConfigError, FatalError
from core.settings import IndexSettings


def create_collection(connection: Connection, settings: IndexSettings, *, dimension: int) -> None:
    """Create the collection and its payload indexes, as far as they are missing.

    Raises:
        ConfigError: the collection was created for other vectors, or the server denies access.
        UnavailableError: the server doesn't answer.
    """
    name, size = settings.collection, SIZES[settings.size]
    if not _exists(connection, name):
        _create(connection, settings, size, dimension)
    found = _require_fit(connection, name, dimension)
    add_terms(connection, name)
    for field in INDEXED:  # completes a start that was interrupted; a change of an index would rebuild it
        if field not in found.payload_schema:
            _index(connection, name, field, size)


def require_collection(connection: Connection, settings: IndexSettings, *, dimension: int) -> None:
    """Check that the collection, or the alias of one, exists and stores vectors of `dimension`.

    Raises:
        NoIndexError: it doesn't exist.
        ConfigError: it was created for other vectors, or the server denies access.
        UnavailableError: the server doesn't answer.
    """
    name = settings.collection
    if not _exists(connection, name):
        raise NoIndexError(
            f"TICKETS_INDEX__COLLECTION: there is no collection {name} at {connection.url} yet; start a worker, which "
            "creates it, or set another name"
        )
    _require_fit(connection, name, dimension)


def misfit(collection: models.CollectionInfo, dimension: int) -> str | None:
    """The vectors that the collection stores, unless they are of `dimension` and compared by cosine."""
    params = collection.config.params.vectors
    found = params.get(VECTOR) if isinstance(params, dict) else None
    if found is None:
        return f"no vector named {VECTOR}"
    if found.distance != models.Distance.COSINE:
        return f"vectors of {found.size} dimensions compared by {found.distance.value.lower()}"
    return None if found.size == dimension else f"vectors of {found.size} dimensions"


def _require_fit(connection: Connection, name: str, dimension: int) -> models.CollectionInfo:
    collection = connection.ask_at_start(lambda client: client.get_collection(name))
    found = misfit(collection, dimension)
    if found is not None:
        raise ConfigError(
            f"TICKETS_INDEX__COLLECTION: {name} has {found}, but the model's have {dimension}, compared by cosine; "
            "set it to a new collection and TICKETS_KAFKA__GROUP to a new group, and the topic is indexed from "
            "the start"
        )
    return collection


def _exists(connection: Connection, name: str) -> bool:
    return connection.ask_at_start(lambda client: client.collection_exists(name))


def _create(connection: Connection, settings: IndexSettings, size: SizeClass, dimension: int) -> None:
    try:
        connection.ask_at_start(
            lambda client: client.create_collection(
                settings.collection,
                vectors_config={VECTOR: vector_params(size, dimension)},
                sparse_vectors_config=CONFIG,
                hnsw_config=hnsw_config(size),
                quantization_config=quantization_config(size),
                shard_number=settings.shards,
                replication_factor=settings.replication_factor,
                write_consistency_factor=settings.replication_factor // 2 + 1,
            )
        )
    except FatalError:
        if not _exists(connection, settings.collection):  # another worker that starts now may have created it
            raise


def _index(connection: Connection, name: str, field: str, size: SizeClass) -> None:
    schema = field_schema(size, INDEXED[field])
    connection.ask_at_start(lambda client: client.create_payload_index(name, field, field_schema=schema, wait=True))
