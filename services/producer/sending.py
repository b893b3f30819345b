"""Sends the batches of files: the lease first, then the broker's acknowledgement, then the checkpoint."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from msgspec import structs

from connectors.files.tail import FileBatch
from core.failpoints import failpoint
from core.producing import Checkpoint
from core.records import Record, Rejected
from delivery.token_bucket import TokenBucket
from services.producer.leases import Leases
from services.producer.monitor import Monitor
from services.producer.opening import OpenFile
from services.producer.outlet import Outlet
from services.producer.retry import Retry, StoppedError

T = TypeVar("T")

_BATCH: Final = 500
#: The rate is enforced in slices of a tenth of a second.
_SLICES_PER_S: Final = 10
_GLANCE_S: Final = 1.0


class LostError(Exception):
    """Another task has the file."""


class Sending:
    """Sends batches, limited to this task's share of the rate. One thread uses it."""

    def __init__(
        self,
        outlet: Outlet,
        *,
        leases: Leases,
        retry: Retry,
        monitor: Monitor,
        rate: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`rate` is the number of records per second of all tasks, or None for no limit; `clock` is in seconds."""
        self._outlet = outlet
        self._leases = leases
        self._retry = retry
        self._monitor = monitor
        self._rate = rate
        self._clock = clock
        self._bucket = TokenBucket(rate, clock=clock)

    @property
    def batch_size(self) -> int:
        """Maximum number of records in a batch."""
        return _BATCH if self._rate is None else max(1, min(_BATCH, int(self._rate / _SLICES_PER_S)))

    def share(self, tasks: int) -> None:
        """Set the number of tasks that share the rate."""
        self._bucket.set_rate(None if self._rate is None else self._rate / tasks)

    def send(self, file: OpenFile, batch: FileBatch) -> None:
        """Send a batch and write its checkpoint, durably on return.

        Raises:
            LostError: another task has the file; nothing was sent, or it will be sent again.
            StoppedError: the service was stopped, with the same effect.
        """
        self._wait(self._bucket.take(len(batch.records)))
        if batch.records:
            refused = self._retry("broker", self._held(file, lambda: self._outlet.send(batch.records)))
            rejected = [*batch.rejected, *(_too_large(batch, place, str(why)) for place, why in refused.items())]
        else:
            refused, rejected = {}, batch.rejected
        if rejected:
            self._retry("broker", self._held(file, lambda: self._outlet.reject(rejected)))
        if batch.content_bytes or batch.records:
            failpoint("lines_acked")
            self._monitor.sent(len(batch.records) - len(refused), rejected, batch.content_bytes)
        if _differs(batch.checkpoint, file.checkpoint):
            if not self._retry("store", self._held(file, lambda: self._leases.save(batch.checkpoint))):
                raise LostError
            file.checkpoint = batch.checkpoint
            failpoint("checkpoint_saved")

    def _held(self, file: OpenFile, call: Callable[[], T]) -> Callable[[], T]:
        """Wrap a call, so that it is made only while this task has the file's lease."""

        def guarded() -> T:
            if not self._leases.held(file.checkpoint) and not self._leases.extend(file.checkpoint):
                raise LostError
            return call()

        return guarded

    def _wait(self, seconds: float) -> None:
        until = self._clock() + seconds
        while (left_s := until - self._clock()) > 0:
            if self._retry.stop.wait(min(left_s, _GLANCE_S)):
                raise StoppedError
            self._retry.between()


def _too_large(batch: FileBatch, place: int, why: str) -> Rejected:
    record, origin = batch.records[place], batch.origins[place]
    return Rejected(Record(origin, record.key, record.value, 0), "read", "too_large", f"line {origin.offset}: {why}")


def _differs(one: Checkpoint, other: Checkpoint) -> bool:
    return structs.replace(one, saved_ms=0) != structs.replace(other, saved_ms=0)
