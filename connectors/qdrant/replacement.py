"""Builds a new index while the old one is in use, then switches: on a server by an alias, embedded by a rename."""

import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from connectors.qdrant import folder
from connectors.qdrant.lock import FolderLock, InUseError, find_owner, take_lock
from connectors.qdrant.open import open_index_for_writing
from connectors.qdrant.policy import VersionedIndex
from core.errors import FatalError
from core.settings import IndexSettings

if TYPE_CHECKING:
    from connectors.qdrant.aliases import Alias
    from connectors.qdrant.connection import Connection

#: A subfolder of the index's folder, so that it is on the same disk.
_SUBFOLDER: Final = "rebuild"
_RETRY_S: Final = 1.0


class Replacement(Protocol):
    """A new index that will replace the one in use.

    Attributes:
        index: the new index, empty at first.
        name: its collection or folder, for a person.
        old: the collection that it replaces, which is kept; None if there was none or the index is embedded.
    """

    index: VersionedIndex
    name: str
    old: str | None

    def switch(self, *, follow: Callable[[], object], wait: Callable[[], None]) -> None:
        """Switch to the new index, including everything that was acked to the old one.

        Workers of the old index continue on the new one when it is marked as finished, at the end.

        Args:
            follow: applies new records up to the end of the log.
            wait: called every second while a running worker holds the old index.
        """
        ...

    def close(self) -> None:
        """Close the new index. If `switch` wasn't called, it is incomplete and can be deleted."""
        ...


class NewCollection:
    """Implements `Replacement` on a server, where workers can keep running."""

    def __init__(self, index: VersionedIndex, *, name: str, alias: "Alias", connection: "Connection") -> None:
        self.index = index
        self.name = name
        self.old = alias.collection
        self._alias = alias
        self._connection = connection

    def switch(self, *, follow: Callable[[], object], wait: Callable[[], None]) -> None:  # noqa: ARG002 - no worker is waited for
        """See `Replacement`. The log has all that was acked to the old collection, so it is read after the switch."""
        self._alias.point_to(self.name)
        follow()
        self.index.store.finish()

    def close(self) -> None:
        """See `Replacement`."""
        self.index.close()
        self._connection.close()


class NewFolder:
    """Implements `Replacement` for the embedded index at `path`, with a folder inside it."""

    def __init__(self, index: VersionedIndex, *, path: Path, subfolder: Path) -> None:
        self.index = index
        self.name = str(path)
        self.old: str | None = None
        self._path = path
        self._subfolder = subfolder

    def switch(self, *, follow: Callable[[], object], wait: Callable[[], None]) -> None:
        """See `Replacement`. Under the lock nobody writes to the old index, so the end of the log is final."""
        while (lock := self._take_lock()) is None:
            wait()
            follow()
            time.sleep(_RETRY_S)
        try:
            follow()
            self.index.store.finish()
            self.index.close()
            folder.take_over(self._path, self._subfolder)
        except OSError as error:
            raise FatalError(
                f"the new index can't take the place of {self._path}: {error.strerror}; the old index is unchanged"
            ) from error
        finally:
            lock.release()

    def _take_lock(self) -> FolderLock | None:
        """The lock, or None while a worker holds it; a worker may take it between the check and our attempt."""
        try:
            return None if find_owner(self._path) else take_lock(self._path)
        except InUseError:
            return None

    def close(self) -> None:
        """See `Replacement`."""
        self.index.close()


def open_replacement(settings: IndexSettings, *, dimension: int, model: str) -> Replacement:
    """Create an empty index in addition to the one in use.

    Raises:
        ConfigError: another rebuild is running; the folder can't be written; the collection in the settings is not an
            alias, or holds another model's vectors; or the server denies access.
        UnavailableError: the server doesn't answer.
    """
    if settings.url is None:
        return open_new_folder(settings, dimension=dimension, model=model)
    return open_new_collection(settings, dimension=dimension, model=model)


def open_new_collection(settings: IndexSettings, *, dimension: int, model: str) -> NewCollection:
    """See `open_replacement`. Workers of another model would write to the new collection after the switch."""
    from connectors.qdrant.aliases import find_alias  # noqa: PLC0415 - its client takes a second to import
    from connectors.qdrant.connection import open_connection  # noqa: PLC0415 - likewise

    with ExitStack() as stack:
        connection = open_connection(settings)
        stack.callback(connection.close)
        alias = find_alias(connection, settings.collection)
        old = ""
        if alias.collection is not None:
            with closing(open_index_for_writing(settings, dimension=dimension, model=model)) as found:
                origin = found.origin()
                old = "" if origin is None else origin.index
        # Two rebuilds may start in one second, and the second would write to the first one's collection.
        name = f"{settings.collection}-{time.strftime('%Y%m%d%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"
        own = settings.model_copy(update={"collection": name})
        index = open_index_for_writing(own, dimension=dimension, model=model, replaces=old)
        stack.pop_all()
    return NewCollection(index, name=name, alias=alias, connection=connection)


def open_new_folder(settings: IndexSettings, *, dimension: int, model: str) -> NewFolder:
    """See `open_replacement`. What an interrupted rebuild left behind is removed."""
    subfolder = settings.path / _SUBFOLDER
    with ExitStack() as stack:
        if find_owner(settings.path) is None:  # creates the folder if it is missing, and checks that it is an index
            stack.callback(take_lock(settings.path).release)
        remove_interrupted(settings.path)
        own = settings.model_copy(update={"path": subfolder})
        # no worker continues from the old folder to the new one, so its id doesn't matter
        index = open_index_for_writing(own, dimension=dimension, model=model, replaces="")
    return NewFolder(index, path=settings.path, subfolder=subfolder)


def remove_interrupted(path: Path) -> None:
    """Remove the leftovers of an interrupted rebuild of the index in `path`."""
    subfolder = path / _SUBFOLDER
    if subfolder.exists() and find_owner(subfolder) is None:
        shutil.rmtree(subfolder)
