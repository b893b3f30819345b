"""Protocols of the state that a service's processes share: a cache, and the counts of rate limits."""

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

#: A window is counted in this many parts. Requests of a part that has only partly left the window still count, so a
#: limit holds for any span of a window's length, and a caller at it waits for at most a part more.
PARTS: Final = 10


class Cache(Protocol):
    """Values by key, which may be forgotten at any time. Thread-safe; an outage is a miss and raises nothing."""

    def get(self, key: str) -> bytes | None:
        """The value, or None if it is unknown, expired or can't be read now."""
        ...

    def put(self, key: str, value: bytes, *, ttl_s: float) -> None:
        """Keep a value for `ttl_s` seconds at most. One that is too large is not kept."""
        ...

    def delete(self, key: str) -> None:
        """Forget a value. In an outage it may stay until it expires."""
        ...


class Subject(Struct, frozen=True):
    """A subject of rate limits, such as a user, and its maximum number of requests in a window."""

    key: str
    limit: int


class Allowance(Struct, frozen=True):
    """The allowance of a subject.

    Attributes:
        allowed: whether this request is within its limit.
        remaining: number of further requests that are within it now.
        wait_s: seconds until its oldest requests no longer count.
    """

    allowed: bool
    remaining: int
    wait_s: float


class RateLimiter(Protocol):
    """Counts requests. Thread-safe; it raises nothing."""

    @property
    def blocking(self) -> bool:
        """Whether `take` does I/O."""
        ...

    def take(self, subjects: Sequence[Subject]) -> Sequence[Allowance]:
        """Count a request for each of its subjects if all of them allow it, else for none."""
        ...
