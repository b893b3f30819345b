"""An index from settings: embedded or on a server, checked against the model before anything is written."""

from connectors.qdrant.embedded import EdgeEngine
from connectors.qdrant.engine import AnyOf, Engine
from connectors.qdrant.layout import LIVE
from connectors.qdrant.ownership import Ownership
from connectors.qdrant.policy import VersionedIndex
from core.errors import ConfigError
from core.settings import IndexSettings


class EmbeddedIndex(VersionedIndex):
    """An index in a folder of ours, whose owner can tell others where to ask."""

    def __init__(self, engine: Engine, ownership: Ownership) -> None:
        super().__init__(engine)
        self._ownership = ownership

    def announce(self, address: str, token: str) -> None:
        """See `stream.servers.serve_control`."""
        self._ownership.announce(address, token)

    def close(self) -> None:
        """Flush, then let the folder go."""
        super().close()
        self._ownership.release()


def open_index(settings: IndexSettings, *, dimension: int, model: str) -> VersionedIndex:
    """The index that `settings` name, made if it isn't there, for vectors of `dimension` by `model`.

    Raises:
        ConfigError: it belongs to another process, was made for another model or dimension, can't be read or
            written, or the server refuses us.
        UnavailableError: the server doesn't answer.
    """
    if settings.url is not None:
        from connectors.qdrant.server import ServerEngine  # noqa: PLC0415 - its client takes a second to import

        server = ServerEngine(settings, dimension=dimension)
        return _checked(VersionedIndex(server), model, f"TICKETS_INDEX__COLLECTION: {settings.collection}")
    ownership = Ownership(settings.path)
    try:
        engine = EdgeEngine(settings.path, dimension=dimension)
        return _checked(EmbeddedIndex(engine, ownership), model, f"TICKETS_INDEX__PATH: {settings.path}")
    except BaseException:
        ownership.release()
        raise


def _checked(index: VersionedIndex, model: str, where: str) -> VersionedIndex:
    """Vectors of two models can't be compared: refuse an index that holds any of another."""
    others = index.engine.scan([AnyOf("state", (LIVE,))], [AnyOf("model", (model,))], fields=["model"])
    other = next(others, None)
    if other is None:
        return index
    index.close()
    raise ConfigError(
        f"{where} holds vectors of {other.payload.get('model')} and this worker makes those of {model}; name a new one "
        "and a new consumer group, and the log is indexed anew"
    )


def open_reader(settings: IndexSettings, *, dimension: int, model: str) -> VersionedIndex:
    """The index that `settings` name, for reading."""
    return open_index(settings, dimension=dimension, model=model)
