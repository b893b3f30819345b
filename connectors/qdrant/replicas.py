"""Reads of a collection's replicas that no single replica can falsify: one that was down may be behind the others."""

from collections.abc import Callable
from typing import Final

from qdrant_client import models
from qdrant_client.conversions.common_types import PointId

from core.errors import TransientError

#: A read that meets a write in flight sees replicas that differ; the next one rarely does.
_READS: Final = 8

#: Records, and the id at which the next page begins.
Page = tuple[list[models.Record], PointId | None]


def read_agreed(read: Callable[[models.ReadConsistencyType | None], Page]) -> Page:
    """A page of the records on which the replicas agree. `read` takes a consistency; with None it asks one replica.

    Qdrant's `majority` waits for all replicas, and keeps what most of them hold. While one is down, a quorum is asked,
    which must agree.

    Raises:
        TransientError: too few replicas answer, or they go on differing.
    """
    try:
        return read(models.ReadConsistencyType.MAJORITY)
    except TransientError:
        for _ in range(_READS):
            agreed = read(models.ReadConsistencyType.QUORUM)  # leaves out points that differ
            if _ids(read(None)) <= _ids(agreed):
                return agreed
    raise TransientError("the replicas of the index differ")


def _ids(page: Page) -> set[PointId]:
    return {record.id for record in page[0]}
