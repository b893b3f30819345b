"""The writers of an answer in order of preference, and the limits of each."""

import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from answers.ports import Breaker, Budget, Observer, Writer
from core.language_model import ModelError, Tokens

#: Another attempt would end like the first.
FINAL_KINDS: Final = frozenset({"garbage", "endless", "leak", "filtered", "refused", "unauthorized", "budget"})
_BASE_S: Final = 0.2


class Closed:
    """A `Breaker` that never opens."""

    def allows(self) -> bool:
        """See `Breaker`."""
        return True

    def succeeded(self) -> None:
        """See `Breaker`."""

    def failed(self, error: ModelError) -> None:
        """See `Breaker`."""

    def abandoned(self) -> None:
        """See `Breaker`."""


class Unlimited:
    """A `Budget` without a limit."""

    def allows(self, tenant_id: str) -> bool:  # noqa: ARG002 - of the protocol
        """See `Budget`."""
        return True

    def spend(self, tenant_id: str, tokens: Tokens) -> None:
        """See `Budget`."""


class Ignore:
    """An `Observer` that ignores everything."""

    def unsupported(self, writer: str, reason: str) -> None:
        """See `Observer`."""

    def failed(self, writer: str, error: ModelError) -> None:
        """See `Observer`."""


class Link(Struct, frozen=True, kw_only=True, eq=False):
    """A writer of a chain.

    Attributes:
        metered: it uses the tenant's tokens.
        attempts: the most attempts.
        deadline_s: seconds that all attempts may take until the first sentence is sent, and as long again until the
            last.
    """

    writer: Writer
    metered: bool = False
    attempts: int = 1
    deadline_s: float = 20.0
    breaker: Breaker = Closed()


def double(attempt: int, _error: ModelError | None = None) -> float:
    """Seconds to wait after failed attempt number `attempt`, from 0; without jitter."""
    return float(_BASE_S * 2**attempt)


class Chain(Struct, frozen=True, kw_only=True, eq=False):
    """Writers, best first. The last should be one that doesn't fail.

    Attributes:
        clock: seconds, monotonic.
        delay_s: how long to wait after a failed attempt, as `delivery.backoff.Backoff.delay_s`.
    """

    links: tuple[Link, ...]
    budget: Budget = Unlimited()
    observer: Observer = Ignore()
    clock: Callable[[], float] = time.monotonic
    delay_s: Callable[[int, ModelError | None], float] = double

    @property
    def name(self) -> str:
        """The names of its writers, as part of the key of a cached answer."""
        return ">".join(link.writer.name for link in self.links)
