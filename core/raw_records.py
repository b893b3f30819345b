"""A record as Kafka has it, and a record that can't be used. Needs no numpy, which Lambda functions don't have."""

from typing import Final, Literal

from msgspec import Struct

#: `read` is the producer service: its letters are lines of files.
Stage = Literal["read", "decode", "enrich", "embed", "index"]
#: A record's headers, in order. Names may repeat, and values may be null.
Headers = tuple[tuple[str, bytes | None], ...]


class Origin(Struct, frozen=True):
    """Position of a record in a topic."""

    topic: str
    partition: int
    offset: int


class Damage(Struct, frozen=True):
    """The part of a record that the client can't read.

    Attributes:
        lost: the headers alone, or everything but the position.
        reason: why, in one sentence; it never quotes the record.
        last: a record that is lost may stand for all records of its batch: those up to this offset.
    """

    lost: Literal["headers", "record"]
    reason: str
    last: int


class Record(Struct, frozen=True):
    """One Kafka record.

    Attributes:
        timestamp_ms: the broker's or the producer's time, as the topic is configured. A producer may write any number.
        damage: what the client can't read of it, if anything; that part is empty.
    """

    origin: Origin
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: Headers = ()
    damage: Damage | None = None

    @property
    def next_offset(self) -> int:
        """The offset after it, or after the batch that it stands for."""
        return max(self.origin.offset, self.damage.last if self.damage else 0) + 1

    @property
    def size(self) -> int:
        """Bytes of key, value and headers, for limits on memory."""
        headers = sum(len(name) + len(value or b"") for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers


#: Placeholder for the record of a ticket without one, such as the deletion of a surplus ticket.
NO_RECORD: Final = Record(Origin("", 0, 0), None, None, 0)


class Rejected(Struct, frozen=True):
    """A record that can't be used.

    Attributes:
        code: a short name of the kind of fault, from a small set, as it labels a metric.
        reason: the fault in one sentence; it never quotes the ticket's text.
    """

    record: Record
    stage: Stage
    code: str
    reason: str
