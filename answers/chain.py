"""The writers of an answer in order of preference."""

import time
from collections.abc import Callable

from msgspec import Struct

from answers.writer import Observer, Writer
from core.language_model import ModelError


class Ignore:
    """An `Observer` that ignores everything."""

    def unsupported(self, writer: str, reason: str) -> None:
        """See `Observer`."""

    def failed(self, writer: str, error: ModelError) -> None:
        """See `Observer`."""


class Link(Struct, frozen=True, kw_only=True, eq=False):
    """A writer of a chain.

    Attributes:
        deadline_s: seconds until its first sentence is sent, and as long again until its last. Retries, the circuit
            breaker and the tenant's budget are the model's own.
    """

    writer: Writer
    deadline_s: float = 20.0


class Chain(Struct, frozen=True, kw_only=True, eq=False):
    """Writers, best first. The last should be one that doesn't fail.

    Attributes:
        clock: seconds, monotonic.
    """

    links: tuple[Link, ...]
    observer: Observer = Ignore()
    clock: Callable[[], float] = time.monotonic

    @property
    def name(self) -> str:
        """The names of its writers, as part of the key of a cached answer."""
        return ">".join(link.writer.name for link in self.links)
