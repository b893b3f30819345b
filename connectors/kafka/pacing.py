"""Sends a long stream of records in slices, at most at a given rate."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from connectors.kafka.producer import Outgoing
from core.errors import ConfigError, FatalError, TransientError, UnavailableError

_SLICE: Final = 500
#: Bytes at which a slice of large records ends, which bounds memory.
_SLICE_BYTES: Final = 8 * 1024 * 1024
#: A rate is kept in slices of a tenth of a second.
_SLICES_PER_S: Final = 10

Send = Callable[[Sequence[Outgoing]], None]


def send_in_slices(
    send: Send,
    records: Iterable[Outgoing],
    *,
    rate: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[int]:
    """Send `records` in order; yields after each slice the number sent so far.

    Args:
        send: writes a slice durably, as `Sender.send` does.
        records: read lazily; those before a ConfigError are still sent.
        rate: maximum number of records per second, or None for no limit.
        clock: time in seconds.
        sleep: waits for that number of seconds.

    Raises:
        ConfigError: `records` raised it.
        UnavailableError: the broker did not take a slice.
        FatalError: the broker refuses a slice.
        Each message ends with the number of records that were written before.
    """
    size = _SLICE if rate is None else max(1, min(_SLICE, int(rate / _SLICES_PER_S)))
    source, sent, began = iter(records), 0, clock()
    while True:
        batch, fault = _take(source, size)
        try:
            send(batch)
        except TransientError as error:
            raise UnavailableError(f"{error}; {sent} records were written before") from None
        except FatalError as error:
            raise FatalError(f"{error}; {sent} records were written before") from None
        sent += len(batch)
        if fault is not None:
            raise ConfigError(f"{fault}; {sent} records were written before")
        if not batch:
            return
        yield sent
        if rate is not None:
            sleep(max(0.0, sent / rate - (clock() - began)))


def _take(source: Iterator[Outgoing], size: int) -> tuple[list[Outgoing], ConfigError | None]:
    """Up to `size` records, and the error that ended them early, if any."""
    batch: list[Outgoing] = []
    left = _SLICE_BYTES
    try:
        for record in islice(source, size):
            batch.append(record)
            left -= record.size
            if left <= 0:
                break
    except ConfigError as error:
        return batch, error
    return batch, None
