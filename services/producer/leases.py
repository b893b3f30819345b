"""The leases of one task, and the number of tasks."""

import logging
import time
from collections.abc import Callable
from typing import Final

from core.errors import FatalError, TransientError
from core.producing import MAX_AHEAD_MS, Checkpoint, Checkpoints, Lease

logger: Final = logging.getLogger("ticketstream.producer")

_MS: Final = 1_000


class Leases:
    """Takes, extends and gives back leases. One thread uses it.

    A lease is extended after a third of its time. If a lease has ended, for example because the task was frozen, the
    task takes it again before it sends anything, unless another task has the file by then.
    """

    def __init__(
        self, store: Checkpoints, *, owner: str, lease_s: float, clock: Callable[[], float] = time.time
    ) -> None:
        """No lease yet.

        Args:
            store: keeps the leases.
            owner: this task's name, unique among all tasks.
            lease_s: length of a lease.
            clock: seconds since 1970, about the same on all machines.
        """
        self.owner = owner
        self._store = store
        self._lease_ms = int(lease_s * _MS)
        self._clock = clock
        self._until_ms: dict[str, int] = {}
        self._due_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return int(self._clock() * _MS)

    def due(self) -> bool:
        """Whether it is time to extend all leases."""
        now_ms = self.now_ms()
        if now_ms < self._due_ms <= now_ms + self._lease_ms:  # if the clock was set back, the leases are due at once
            return False
        self._due_ms = now_ms + self._lease_ms // 3
        return True

    def free(self, lease: Lease | None) -> bool:
        """Whether no other task has the lease."""
        now_ms = self.now_ms()
        last_ms = now_ms + self._lease_ms + MAX_AHEAD_MS
        return lease is None or lease.owner == self.owner or not now_ms < lease.until_ms <= last_ms

    def held(self, checkpoint: Checkpoint) -> bool:
        """Whether this task may read the file now."""
        return self.now_ms() < self._until_ms.get(checkpoint.file_id, 0)

    def claim(self, checkpoint: Checkpoint) -> Checkpoint | None:
        """Take the lease of a file. Returns its checkpoint, or None if another task has the lease.

        Raises:
            TransientError: the store is unavailable.
            FatalError: it refuses.
        """
        now_ms = self.now_ms()
        until_ms = now_ms + self._lease_ms
        found = self._store.claim(checkpoint, self.owner, now_ms=now_ms, until_ms=until_ms)
        self._until_ms.pop(checkpoint.file_id, None)
        if found is not None:
            self._until_ms[checkpoint.file_id] = until_ms
        return found

    def extend(self, checkpoint: Checkpoint) -> bool:
        """Extend the lease of an open file at this checkpoint. False if another task has it, or has read further.

        If the store is unavailable, the lease keeps its end.
        """
        try:
            found = self.claim(checkpoint)
        except (TransientError, FatalError) as error:
            logger.warning("a lease was not extended: %s", error)
            return self.held(checkpoint)
        if found is None:
            return False
        if (found.position, found.digest) != (checkpoint.position, checkpoint.digest):
            self.release(checkpoint.file_id)
            return False
        return True

    def save(self, checkpoint: Checkpoint) -> bool:
        """Write a checkpoint, durably on return. False, and nothing is written, if the lease is lost.

        Raises:
            TransientError: the store is unavailable.
            FatalError: it refuses.
        """
        return self._store.save(checkpoint, self.owner)

    def release(self, file_id: str) -> None:
        """Give a lease back, so that another task may take it at once."""
        self._until_ms.pop(file_id, None)
        try:
            self._store.release(file_id, self.owner)
        except (TransientError, FatalError) as error:
            logger.warning("a lease was not given back, and expires by itself: %s", error)

    def join(self) -> int | None:
        """Register this task as alive. Returns the number of living tasks, or None if the store is unavailable."""
        now_ms = self.now_ms()
        try:
            return self._store.join(self.owner, now_ms=now_ms, until_ms=now_ms + self._lease_ms)
        except (TransientError, FatalError) as error:
            logger.warning("this task could not be registered as alive: %s", error)
            return None

    def leave(self) -> None:
        """Unregister this task."""
        try:
            self._store.leave(self.owner)
        except (TransientError, FatalError) as error:
            logger.warning("this task could not be unregistered: %s", error)
