"""Opens the index that the settings name, embedded or on a server, and checks that it holds the model's vectors."""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from msgspec import Struct

from connectors.qdrant.backup import Backup, write_backup
from connectors.qdrant.embedded import EdgeEngine, open_edge_engine
from connectors.qdrant.folder import dimension_of
from connectors.qdrant.lock import FolderLock, take_lock
from connectors.qdrant.policy import VersionedIndex
from connectors.qdrant.reading import VersionedReader
from connectors.qdrant.snapshot import open_snapshot
from core.addresses import hide_credentials
from core.errors import ConfigError, TransientError, UnavailableError
from core.provenance import Provenance
from core.settings import IndexSettings

logger: Final = logging.getLogger("ticketstream.index")

#: A start reports passages without terms from this share on; in an index of an earlier version it is 1.
_NOTED: Final = 0.05

R = TypeVar("R", bound=VersionedReader)
W = TypeVar("W", bound=VersionedIndex)


class EmbeddedIndex(VersionedIndex):
    """An embedded index, whose folder this process has locked. It can publish a control address for others."""

    def __init__(self, engine: EdgeEngine, lock: FolderLock, *, path: Path) -> None:
        super().__init__(engine)
        self.edge = engine
        self._lock = lock
        self._path = path
        self._saving = threading.Lock()

    def room(self) -> float:
        """See `SpaceGuard.room`."""
        return self.edge.space.room()

    def back_up(self, target: Path) -> Backup:
        """Copy the index to the new folder `target`; writes wait meanwhile. See `connectors.qdrant.backup`.

        Raises:
            ConfigError: `target` exists, or is inside of the index's folder.
            TransientError, UnavailableError: a disk is full, or another backup is being made.
        """
        if not self._saving.acquire(blocking=False):  # two of one folder would delete each other's files
            raise TransientError("another backup of this index is being made; try again when it has ended")
        try:
            return write_backup(self._path, target, hold=self._held)
        finally:
            self._saving.release()

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Flush, and let nothing change the files until the end of the `with`."""
        with self.edge.exclusive() as shard:
            self.edge.space.require()
            shard.flush()
            yield

    def announce(self, address: str, token: str) -> None:
        """See `FolderLock.announce`."""
        self._lock.announce(address, token)

    def close(self) -> None:
        """Close the engine, then release the lock; an engine that is left open keeps it until the process ends."""
        super().close()
        if self.edge.closed:
            self._lock.release()


def open_index_for_writing(
    settings: IndexSettings, *, dimension: int, model: str, replaces: str | None = None
) -> VersionedIndex:
    """Open the index, creating it if it is missing, for vectors of `dimension` by `model`.

    `replaces` is for a rebuild: the id of the index whose place this one will take, or an empty string.

    Raises:
        ConfigError: it is in use by another process, was created for another model or dimension, can't be read or
            written, or the server denies access.
        UnavailableError: the server doesn't answer.
    """
    if settings.url is not None:
        from connectors.qdrant.server import open_server_engine  # noqa: PLC0415 - its client takes a second to import

        server = open_server_engine(settings, dimension=dimension)
        try:
            return _stamped(VersionedIndex(server), settings, model, replaces)
        except TransientError as error:
            raise UnavailableError(
                f"the Qdrant server at {hide_credentials(settings.url)} does not take the index's stamp now ({error}); "
                "start again when it accepts writes"
            ) from None
    lock = take_lock(settings.path)
    try:
        engine = open_edge_engine(settings.path, dimension=dimension, min_free_mib=settings.min_free_mib)
        return _stamped(EmbeddedIndex(engine, lock, path=settings.path), settings, model, replaces)
    except BaseException:
        lock.release()
        raise


def open_reader(settings: IndexSettings, *, dimension: int, model: str) -> VersionedReader:
    """Open the index for reading. Nothing is created, and no lock keeps a worker from starting.

    An embedded index is read as it is now, from a copy (`connectors.qdrant.snapshot`).

    Raises:
        NoIndexError: it doesn't exist.
        ConfigError: it is embedded and another process is using it, it was created for another model or dimension, or
            the server denies access.
        UnavailableError: the server doesn't answer, or there is no room for a copy.
    """
    if settings.url is not None:
        from connectors.qdrant.server import open_server_reader  # noqa: PLC0415 - its client takes a second to import

        server = open_server_reader(settings, dimension=dimension)
        return _checked(VersionedReader(server), settings, model)
    return _checked(open_snapshot(settings.path, dimension=dimension), settings, model)


class FoundIndex(Struct, frozen=True):
    """An index of any model: its provenance, if it has one, and its number of tickets."""

    origin: Provenance | None
    tickets: int


def read_index(settings: IndexSettings) -> FoundIndex | None:
    """Look at the index; None if there is none.

    Raises:
        InUseError: it is embedded, and a process is using it.
        ConfigError: it can't be read, or the server denies access.
        UnavailableError: the server doesn't answer, or there is no room for a copy.
    """
    if settings.url is not None:
        from connectors.qdrant.server import open_server_notes  # noqa: PLC0415 - its client takes a second to import

        engine = open_server_notes(settings)
        found = None if engine is None else VersionedReader(engine)
    else:
        dimension = dimension_of(settings.path)
        found = None if dimension is None else open_snapshot(settings.path, dimension=dimension)
    if found is None:
        return None
    with closing(found):
        return FoundIndex(found.origin(), found.size().tickets)


def _stamped(index: W, settings: IndexSettings, model: str, replaces: str | None) -> W:
    """The index with the model's stamp in its provenance, which is created if it is missing; else as `_checked`.

    A stamp is needed before the first vector: workers of two models may open an empty index at once.
    """
    with ExitStack() as stack:
        stack.callback(index.close)
        if index.origin() is None and index.other_model(model) is None:
            adopted = index.size().points > 0
            index.store.create(model=model, adopted=adopted, replaces=replaces, rebuilt=replaces is not None)
        stack.pop_all()
    checked = _checked(index, settings, model)
    _note_lack_of_terms(checked)
    return checked


def _note_lack_of_terms(index: VersionedIndex) -> None:
    lacking, size = index.without_terms(), index.size()
    if lacking > _NOTED * (size.points - size.tombstones):
        logger.warning(
            "%d passages in the index have no words yet, so they are found by meaning only; `ticketstream "
            "rebuild` adds words, authors and solutions to all",
            lacking,
        )


def _checked(index: R, settings: IndexSettings, model: str) -> R:
    """Close and refuse an index of another model, whose vectors can't be compared with this model's."""
    with ExitStack() as stack:
        stack.callback(index.close)
        found = index.origin()
        other = index.other_model(model) if found is None or found.model == model else found.model
        if other is not None:
            raise _other_model(settings, other, model)
        stack.pop_all()
    return index


def _other_model(settings: IndexSettings, other: str, model: str) -> ConfigError:
    if settings.url is None:
        setting, value, kind = "TICKETS_INDEX__PATH", str(settings.path), "folder"
    else:
        setting, value, kind = "TICKETS_INDEX__COLLECTION", settings.collection, "collection"
    return ConfigError(
        f"{setting}: {value} holds vectors of {other}, but the model is {model}; set it to a new {kind} and "
        "TICKETS_KAFKA__GROUP to a new group, and the topic is indexed from the start"
    )
