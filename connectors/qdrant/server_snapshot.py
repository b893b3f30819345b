"""Snapshots of a collection on a Qdrant server, which the server makes and keeps itself."""

from typing import Final

from qdrant_client import QdrantClient

from connectors.qdrant.connection import open_connection
from core.errors import ConfigError, FatalError
from core.settings import IndexSettings

#: A server copies some 100 MB/s.
_TIMEOUT_S: Final = 3_600.0


def take_server_snapshot(settings: IndexSettings) -> tuple[str, str]:
    """Let the server make a snapshot of the collection, or of the alias's; on one node, of that node's shards.

    Returns:
        The collection's name and the snapshot's.

    Raises:
        ConfigError: the collection doesn't exist, or the server denies access.
        UnavailableError: the server doesn't answer.
        FatalError: the server makes no snapshot.
    """
    connection = open_connection(settings.model_copy(update={"timeout_s": _TIMEOUT_S}))
    try:
        collection = connection.ask_at_start(lambda client: _collection_of(client, settings.collection))
        if collection is None:
            raise ConfigError(f"TICKETS_INDEX__COLLECTION: there is no collection {settings.collection} on the server")
        made = connection.ask_at_start(lambda client: client.create_snapshot(collection, wait=True))
    finally:
        connection.close()
    if made is None:
        raise FatalError(f"the server made no snapshot of {collection}; see its log")
    return collection, made.name


def _collection_of(client: QdrantClient, name: str) -> str | None:
    """The collection that `name` is, or is an alias of; None if there is none."""
    aliases = {alias.alias_name: alias.collection_name for alias in client.get_aliases().aliases}
    if name in aliases:
        return aliases[name]
    return name if client.collection_exists(name) else None
