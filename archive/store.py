"""The protocol of the archive's object storage: objects that are created once, and a manifest that is replaced."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from msgspec import Struct


class Versioned(Struct, frozen=True):
    """A small object. `version` is the storage's name for this content."""

    data: bytes
    version: str


class ArchiveStore(Protocol):
    """Named objects. A method may be repeated after any error; what it returned is durable.

    Raises:
        TransientError: an outage; the same call may succeed later.
        UnavailableError: the storage refuses, or its disk is full; the message says what to do.
    """

    def where(self, name: str) -> str:
        """The object's place, for messages."""
        ...

    def names(self, prefix: str) -> Iterator[str]:
        """Names of all objects that begin with `prefix`, in order."""
        ...

    def folders(self, folder: str) -> list[str]:
        """Names of the folders in `folder`, in order, without what is before them."""
        ...

    def read(self, name: str) -> Versioned | None:
        """A small object, or None if it doesn't exist."""
        ...

    def fetch(self, name: str, to: BinaryIO) -> bool:
        """Write an object of any size to `to`; False if it doesn't exist."""
        ...

    def create(self, name: str, source: BinaryIO) -> bool:
        """Store all of `source`, which can seek; False if the object exists, which then stays as it is."""
        ...

    def replace(self, name: str, data: bytes, version: str) -> bool:
        """Replace a small object; False, and nothing is changed, if it no longer has this version."""
        ...
