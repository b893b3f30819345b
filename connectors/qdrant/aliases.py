"""A Qdrant collection alias, which can be switched atomically to another collection."""

from qdrant_client import models

from connectors.qdrant.connection import Connection
from core.errors import ConfigError


class Alias:
    """The alias `name`, which points to `collection`, or doesn't exist yet if that is None."""

    def __init__(self, connection: Connection, name: str, collection: str | None) -> None:
        self._connection = connection
        self._name = name
        self.collection = collection

    def point_to(self, collection: str) -> None:
        """Switch the alias to `collection`, atomically.

        Raises:
            ConfigError: the server denies access.
            UnavailableError: the server doesn't answer.
        """
        create = models.CreateAliasOperation(
            create_alias=models.CreateAlias(collection_name=collection, alias_name=self._name)
        )
        delete = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self._name))
        operations: list[models.AliasOperations] = [delete, create] if self.collection else [create]
        self._connection.ask_at_start(lambda client: client.update_collection_aliases(operations))
        self.collection = collection


def find_alias(connection: Connection, name: str) -> Alias:
    """Look the alias up.

    Raises:
        ConfigError: `name` is a collection, so it can't be an alias; or the server denies access.
        UnavailableError: the server doesn't answer.
    """
    found = connection.ask_at_start(lambda client: client.get_aliases()).aliases
    collection = next((alias.collection_name for alias in found if alias.alias_name == name), None)
    if collection is None and connection.ask_at_start(lambda client: client.collection_exists(name)):
        raise ConfigError(
            f"TICKETS_INDEX__COLLECTION: {name} is a collection and not an alias, so it can't be switched; set it to a "
            f"new name like {name}-live for the rebuild, and for workers and searches once the rebuild has ended"
        )
    return Alias(connection, name, collection)
