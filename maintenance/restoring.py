"""Writes a generation of the archive to an empty topic, after its cluster was lost."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, Protocol

from msgspec import Struct, structs

from archive.generation import Generation, Held
from connectors.kafka.producer import Outgoing
from core.errors import ConfigError, RefusedError
from core.records import Record

#: Maximum records of a send, and the bytes at which a send ends earlier.
_BATCH: Final = 500
_BATCH_BYTES: Final = 8 * 1024 * 1024


class Offer(Protocol):
    """The part of `connectors.kafka.producer.Sender` that a restoration needs."""

    def offer(self, records: Sequence[Outgoing]) -> Mapping[int, RefusedError]:
        """Durable on return, except the records that the topic refuses, by index."""
        ...


class Restored(Struct, frozen=True):
    """The result of a restoration, for `--json`.

    Attributes:
        records: number of events that were sent.
        unreadable: number of records that were archived without their bytes, because no client could read them, and of
            null values that have lost their headers: without its version such a delete would be final.
        missing: number of offsets that the archive doesn't have.
        refused: number of records that the topic doesn't take, as too large.
    """

    records: int
    unreadable: int
    missing: int
    refused: int = 0


def restore(
    generation: Generation,
    sender: Offer,
    topic: str,
    *,
    partitions: int,
    copy: bool = False,
    advance: Callable[[int], None] = lambda _n: None,
) -> Restored:
    """Send every record to the partition that it had, in order. One that the topic refuses doesn't stop the others.

    Args:
        generation: of the archive.
        sender: to the broker.
        topic: the topic to write.
        partitions: its number of partitions.
        copy: the archive is a copy that may lack files, so send what it has.
        advance: called with the number of records sent, for progress.

    Raises:
        ConfigError: the topic has too few partitions, or nothing is archived.
        DamagedError: a file of the archive is missing or damaged.
        TransientError: the broker did not accept all.
    """
    read = generation.copied if copy else generation.held
    held = {number: read(number) for number in generation.partitions()}
    if not held:
        raise ConfigError(f"{generation.name} has no files; `ticketstream archive list` shows what is archived")
    if max(held) >= partitions:
        raise ConfigError(
            f"{topic} has {partitions} partitions, and the archive has {max(held) + 1}: a ticket's events would get "
            f"out of order; create the topic with {max(held) + 1} partitions"
        )
    records, total, unreadable, refused = _records(generation, held), 0, 0, 0
    while batch := _taken(records):
        found = [_outgoing(record, topic) for record in batch if not _is_lost(record)]
        failed = _send(sender, found)
        total, unreadable = total + len(found) - failed, unreadable + len(batch) - len(found)
        refused += failed
        advance(len(batch))
    return Restored(total, unreadable, sum(one.missing for one in held.values()), refused)


def _send(sender: Offer, records: Sequence[Outgoing]) -> int:
    """Send records. Those that are refused, maybe because of their time, are sent again with the present one.

    Returns:
        The number of those that are still refused.
    """
    refused = [structs.replace(records[place], timestamp_ms=0) for place in sorted(sender.offer(records))]
    return len(sender.offer(refused)) if refused else 0


def _taken(records: Iterator[Record]) -> list[Record]:
    """The next records, fewer if they are large."""
    batch, left = list[Record](), _BATCH_BYTES
    for record in islice(records, _BATCH):
        batch.append(record)
        left -= record.size
        if left <= 0:
            break
    return batch


def _records(generation: Generation, held: dict[int, Held]) -> Iterator[Record]:
    for number, one in held.items():
        yield from generation.records(number, one.entries)


def _is_lost(record: Record) -> bool:
    """Whether it is lost, or is a delete that has lost the header with its version, and would be final without."""
    return record.damage is not None and (record.damage.lost == "record" or record.value is None)


def _outgoing(record: Record, topic: str) -> Outgoing:
    return Outgoing(
        topic, record.key, record.value, record.headers, record.origin.partition, max(0, record.timestamp_ms)
    )
