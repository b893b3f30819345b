"""A name on a Qdrant server that leads to a collection, and can be turned to another in one step."""

from collections.abc import Callable
from typing import TypeVar

import grpc
from qdrant_client import QdrantClient, models

from connectors.qdrant.connection import connect, translate
from core.errors import ConfigError, TransientError, UnavailableError
from core.settings import IndexSettings

T = TypeVar("T")


class Alias:
    """The name in `TICKETS_INDEX__COLLECTION`, as an alias."""

    def __init__(self, settings: IndexSettings) -> None:
        """Look it up.

        Raises:
            ConfigError: the name is a collection's own, which no alias can take over; or the server refuses us.
            UnavailableError: the server doesn't answer.
        """
        self._settings = settings
        self.target = self._look()

    def point_to(self, collection: str) -> None:
        """Turn the name to `collection`, in one step: no request finds it leading nowhere, or to both.

        Raises:
            ConfigError: the server refuses.
            UnavailableError: the server doesn't answer.
        """
        name = self._settings.collection
        create = models.CreateAliasOperation(
            create_alias=models.CreateAlias(collection_name=collection, alias_name=name)
        )
        delete = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=name))
        self._ask(lambda client: client.update_collection_aliases([delete, create] if self.target else [create]))
        self.target = collection

    def _look(self) -> str | None:
        name = self._settings.collection
        found = self._ask(lambda client: client.get_aliases()).aliases
        target = next((alias.collection_name for alias in found if alias.alias_name == name), None)
        if target is None and self._ask(lambda client: client.collection_exists(name)):
            raise ConfigError(
                f"TICKETS_INDEX__COLLECTION: {name} is a collection and no alias, so nothing can take its place; name "
                f"an alias to be made, {name}-live say, and give it to workers and searches when it is there"
            )
        return target

    def _ask(self, call: Callable[[QdrantClient], T]) -> T:
        client = connect(self._settings)
        try:
            return call(client)
        except grpc.RpcError as error:
            fault = translate(error, self._settings.url or "")
            if isinstance(fault, TransientError):
                raise UnavailableError(f"no Qdrant server answers at {self._settings.url} ({fault})") from None
            raise fault from None
        finally:
            client.close()
