"""An index made beside the one in use, and put in its place when it is whole: the same two acts for both engines."""

import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, Protocol

from connectors.qdrant import folder
from connectors.qdrant.open import open_index
from connectors.qdrant.ownership import InUseError, Ownership, find_owner
from connectors.qdrant.policy import VersionedIndex
from core.errors import FatalError
from core.settings import IndexSettings

#: Inside the index's own folder: surely on the same disk.
_BESIDE: Final = "rebuild"
_AGAIN_S: Final = 1.0


class Successor(Protocol):
    """The new index, open from construction."""

    @property
    def index(self) -> VersionedIndex:
        """Empty at first."""
        ...

    @property
    def name(self) -> str:
        """Where it is, for a person."""
        ...

    def switch(self, *, follow: Callable[[], object], wait: Callable[[], None]) -> None:
        """Put it in the old one's place, and have it take what was acked to the old one until then.

        Args:
            follow: applies what has come to the log, to its end.
            wait: called each second while a worker must go first.
        """
        ...

    def close(self) -> None:
        """Let go of it; one that wasn't switched is of no use."""
        ...


class Collection:
    """On a server: another collection, and an alias that is turned to it. Workers may run all the while."""

    def __init__(self, settings: IndexSettings, *, dimension: int, model: str) -> None:
        """Make the collection.

        Raises:
            ConfigError: the name in the settings is no alias and not free; the old collection is of another model,
                whose workers would write to the new one after the switch; or the server refuses us.
            UnavailableError: the server doesn't answer.
        """
        from connectors.qdrant.aliases import Alias  # noqa: PLC0415 - its client takes a second to import

        self._alias = Alias(settings)
        self.old = self._alias.target
        if self.old is not None:
            open_index(settings, dimension=dimension, model=model).close()
        # A second may see two of them, and a name that is taken would be filled on.
        self.name = f"{settings.collection}-{time.strftime('%Y%m%d%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"
        own = settings.model_copy(update={"collection": self.name})
        self.index = open_index(own, dimension=dimension, model=model)

    def switch(self, *, follow: Callable[[], object], wait: Callable[[], None]) -> None:  # noqa: ARG002 - of the protocol
        """See `Successor`. What workers acked to the old collection lies in the log by then, so it is read after."""
        self._alias.point_to(self.name)
        follow()

    def close(self) -> None:
        """See `Successor`."""
        self.index.close()


class Folder:
    """Embedded: a folder inside the index's, whose points take the old ones' place while no worker holds it."""

    def __init__(self, settings: IndexSettings, *, dimension: int, model: str) -> None:
        """Make the folder; what an earlier try left is removed.

        Raises:
            ConfigError: it can't be written, or another rebuild is at work.
        """
        self._path = settings.path
        self._made = settings.path / _BESIDE
        self.name = str(settings.path)
        self.old: str | None = None
        with ExitStack() as opening:
            if find_owner(settings.path) is None:  # takes the folder if it isn't there, and checks that it is an index
                opening.callback(Ownership(settings.path).release)
            if self._made.exists() and find_owner(self._made) is None:
                shutil.rmtree(self._made)
            own = settings.model_copy(update={"path": self._made})
            self.index = open_index(own, dimension=dimension, model=model)

    def switch(self, *, follow: Callable[[], object], wait: Callable[[], None]) -> None:
        """See `Successor`. With the folder ours nobody writes to the old index, so the log's end is the end."""
        while (ownership := self._owned()) is None:
            wait()
            follow()
            time.sleep(_AGAIN_S)
        try:
            follow()
            self.index.close()
            folder.take_over(self._path, self._made)
        except OSError as error:
            raise FatalError(f"the index in {self._path}: {error.strerror}; the old one is as it was") from error
        finally:
            ownership.release()

    def _owned(self) -> Ownership | None:
        """The folder, or None while a worker has it; one may be started again between a look and the taking."""
        try:
            return None if find_owner(self._path) else Ownership(self._path)
        except InUseError:
            return None

    def close(self) -> None:
        """See `Successor`."""
        self.index.close()


def begin(settings: IndexSettings, *, dimension: int, model: str) -> Collection | Folder:
    """The kind that the settings ask for.

    Raises:
        ConfigError: see each.
        UnavailableError: the server doesn't answer.
    """
    kind = Folder if settings.url is None else Collection
    return kind(settings, dimension=dimension, model=model)
