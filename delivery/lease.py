"""A lease, by which only one of several processes relays at a time.

It only avoids sending twice: a process whose lease has ended may still send, so a relay must be correct without it.
"""

import os
import secrets
import time
from collections.abc import Callable
from typing import Final, Protocol

#: Duration of the lease. It is extended if a third of it is over.
LEASE_S: Final = 10.0

#: A lease that ends so much later than a new one was taken by a wrong clock, and keeps nobody out. In milliseconds.
MAX_AHEAD_MS: Final = 60_000

_MS: Final = 1_000


class LeaseStore(Protocol):
    """Keeps a lease. Every method raises `TransientError` if the store is unavailable."""

    def lease(self, owner: str, *, now_ms: int, until_ms: int) -> bool:
        """Take or extend the lease. False while another owner has it, until `MAX_AHEAD_MS` after `until_ms` at most."""
        ...

    def release(self, owner: str) -> None:
        """Give the lease back, if `owner` has it."""
        ...


class Lease:
    """A lease as one process sees it. One thread at a time may use it."""

    def __init__(self, store: LeaseStore, *, owner: str, clock: Callable[[], float] = time.time) -> None:
        """A lease that is not taken yet. `owner` is unique among all processes; `clock` has seconds since the epoch."""
        self._store = store
        self._owner = owner
        self._clock = clock
        self._extend_at_s = 0.0

    def held(self) -> bool:
        """Take or extend the lease if possible. Returns whether this process has it.

        Raises:
            TransientError: the store is unavailable.
        """
        now = self._clock()
        if now < self._extend_at_s <= now + LEASE_S:  # extend at once if the clock was set back
            return True
        self._extend_at_s = 0.0
        if not self._store.lease(self._owner, now_ms=int(now * _MS), until_ms=int((now + LEASE_S) * _MS)):
            return False
        self._extend_at_s = now + LEASE_S / 3
        return True

    def release(self) -> None:
        """Give it back, so that another process takes over at once.

        Raises:
            TransientError: the store is unavailable.
        """
        self._extend_at_s = 0.0
        self._store.release(self._owner)


def owner_name(*, shared: bool) -> str:
    """An owner's name. A store that is not `shared` has one process: killed and started again, it keeps its lease."""
    node = os.uname().nodename
    return f"{node}-{os.getpid()}-{secrets.token_hex(4)}" if shared else node
