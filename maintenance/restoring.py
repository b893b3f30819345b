"""Writes a generation of the archive to an empty topic, after its cluster was lost."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, Protocol

from msgspec import Struct

from archive.generation import Generation, Held
from connectors.kafka.producer import Outgoing
from core.errors import ConfigError
from core.records import Record

#: Records sent at once.
_BATCH: Final = 500


class Send(Protocol):
    """The part of `connectors.kafka.producer.Sender` that a restoration needs."""

    def send(self, records: Sequence[Outgoing]) -> None:
        """Durable on return."""
        ...


class Restored(Struct, frozen=True):
    """The result of a restoration, for `--json`.

    Attributes:
        records: number of events that were sent.
        unreadable: number of records that were archived without their bytes, because no client could read them.
        missing: number of offsets that the archive doesn't have.
    """

    records: int
    unreadable: int
    missing: int


def restore(
    generation: Generation,
    send: Send,
    topic: str,
    *,
    partitions: int,
    copy: bool = False,
    advance: Callable[[int], None] = lambda _n: None,
) -> Restored:
    """Send every record to the partition that it had, in order.

    Args:
        generation: of the archive.
        send: to the broker.
        topic: what to write.
        partitions: how many it has.
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
    records, total, unreadable = _records(generation, held), 0, 0
    while batch := list(islice(records, _BATCH)):
        found = [
            _outgoing(record, topic) for record in batch if record.damage is None or record.damage.lost != "record"
        ]
        send.send(found)
        total, unreadable = total + len(found), unreadable + len(batch) - len(found)
        advance(len(batch))
    return Restored(total, unreadable, sum(one.missing for one in held.values()))


def _records(generation: Generation, held: dict[int, Held]) -> Iterator[Record]:
    for number, one in held.items():
        yield from generation.records(number, one.entries)


def _is_lost(record: Record) -> bool:
    return record.damage is not None and record.damage.lost == "record"


def _outgoing(record: Record, topic: str) -> Outgoing:
    return Outgoing(
        topic, record.key, record.value, record.headers, record.origin.partition, max(0, record.timestamp_ms)
    )
