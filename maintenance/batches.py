"""Batches of records, bounded in number and in bytes."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from core.records import Record

#: Size from which a batch ends, as in a worker.
_BYTES: Final = 4 * 2**20


def next_batch(records: Iterator[Record], most: int) -> list[Record]:
    """The next records, at most `most`, and fewer if they are large; empty at the end."""
    batch, left = list[Record](), _BYTES
    for record in islice(records, most):
        batch.append(record)
        left -= record.size
        if left <= 0:
            break
    return batch
