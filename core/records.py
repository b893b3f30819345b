"""The records of the stream: Record → Ticket → EnrichedTicket → EmbeddedTicket → TicketPoints, or Rejected.

Each nests the one before instead of copying it, so that origin and raw bytes are known wherever a ticket is rejected.
All are frozen.
"""

from collections.abc import Mapping
from typing import Final, Generic, Literal, TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from core.contract import Role, UpsertEvent
from core.payload import Payload
from core.raw_records import NO_RECORD, Damage, Headers, Origin, Record, Rejected, Stage

__all__ = [
    "NO_RECEIPT",
    "NO_RECORD",
    "Batch",
    "Damage",
    "EmbeddedTicket",
    "EnrichedTicket",
    "Example",
    "Headers",
    "Item",
    "Label",
    "LabelKind",
    "Origin",
    "PartitionReceipt",
    "Passage",
    "Point",
    "RawPosition",
    "Receipt",
    "Record",
    "Rejected",
    "SparseVector",
    "Stage",
    "T_co",
    "Ticket",
    "TicketPoints",
    "Vector",
    "record_of",
]

Vector = NDArray[np.float32]


class RawPosition(Struct, frozen=True):
    """An event's position in the raw topic, and the timestamp of its record there, in milliseconds since 1970."""

    origin: Origin
    timestamp_ms: int


class Ticket(Struct, frozen=True):
    """A decoded event. `content` is None when the ticket is deleted.

    Attributes:
        record: the record that this process read.
        raw_position: the event's position in the raw topic, or None if `record` is itself from there.
    """

    record: Record
    tenant_id: str
    ticket_id: str
    version: int
    content: UpsertEvent | None
    raw_position: RawPosition | None = None

    @property
    def deleted(self) -> bool:
        """Whether it is a delete."""
        return self.content is None

    @property
    def raw(self) -> RawPosition:
        """The event's position in the raw topic."""
        return self.raw_position or RawPosition(self.record.origin, self.record.timestamp_ms)


#: The labels that a worker chooses if the producer gave none.
LabelKind = Literal["category", "priority"]


class Label(Struct, frozen=True):
    """A detected or predicted value with its confidence, 0 to 1."""

    value: str
    confidence: float


class Passage(Struct, frozen=True):
    """A piece of a ticket that gets a vector of its own.

    Attributes:
        text: the passage as a search shows it.
        embed_text: the text that is embedded: `text`, in some passages with the subject before it.
        role: its author.
        public: False for an internal note.
        message: index into `messages`, or -1 for the ticket's own subject and body.
        at: time of the message, in milliseconds since 1970, if known.
        span: its characters [start, end) in the message's cleaned text, if known; the subject has none.
    """

    text: str
    embed_text: str
    role: Role
    public: bool
    message: int
    at: int | None = None
    span: tuple[int, int] | None = None


class EnrichedTicket(Struct, frozen=True):
    """A cleaned and redacted ticket with its language, customer facts and passages. A deleted one has no passages.

    Attributes:
        left_out: number of passages beyond those that a ticket may have.
        messages: number of the thread's messages, if known.
    """

    ticket: Ticket
    language: Label | None = None
    customer: Mapping[str, str] | None = None
    passages: tuple[Passage, ...] = ()
    left_out: int = 0
    messages: int | None = None

    @property
    def record(self) -> Record:
        """The record it was made from."""
        return self.ticket.record

    @property
    def point_count(self) -> int:
        """Number of points that it will have."""
        return len(self.passages)


class EmbeddedTicket(Struct, frozen=True, eq=False):
    """A ticket with its vectors, and the labels that its producer left open.

    Attributes:
        vectors: float32[len(passages), dim], L2-normalised.
        model: stamp of the model that made them.
        label_model: stamp of the labeller that chose `category` and `priority`; None if both are None.
    """

    enriched: EnrichedTicket
    vectors: Vector
    model: str
    category: Label | None = None
    priority: Label | None = None
    label_model: str | None = None

    @property
    def record(self) -> Record:
        """The record it was made from."""
        return self.enriched.ticket.record


class SparseVector(Struct, frozen=True, eq=False):
    """Weights of terms: `indices`, uint32[n], are the terms' ids, ascending and unique; `values` is float32[n]."""

    indices: NDArray[np.uint32]
    values: NDArray[np.float32]


class Point(Struct, frozen=True, eq=False):
    """A row of the index. A tombstone has no vector and no terms.

    Attributes:
        terms: the weights of its passage's words (`operators.terms`); None if they are unknown.
    """

    id: str
    vector: Vector | None
    payload: Payload
    terms: SparseVector | None = None


class TicketPoints(Struct, frozen=True, eq=False):
    """The points of one version of a ticket in the index. Without points the ticket is deleted.

    Attributes:
        event_ms: time of the change, for the freshness metric.
        broker_ms: timestamp of its record in the raw topic, likewise.
        record: the record it was made from.
        left_out: number of its attributes that don't fit into a point.
    """

    tenant_id: str
    ticket_id: str
    version: int
    points: tuple[Point, ...]
    event_ms: int | None = None
    broker_ms: int | None = None
    record: Record = NO_RECORD
    left_out: int = 0

    @property
    def deleted(self) -> bool:
        """Whether it is a delete."""
        return not self.points

    @property
    def point_count(self) -> int:
        """Number of its points."""
        return len(self.points)


class Example(Struct, frozen=True):
    """A labelled text, for classification by nearest neighbours."""

    text: str
    category: str | None = None
    priority: str | None = None


class PartitionReceipt(Struct, frozen=True):
    """The offsets of one partition in a batch, ascending. `partition` is a topic and a partition's number."""

    partition: tuple[str, int]
    generation: int
    offsets: tuple[int, ...]


class Receipt(Struct, frozen=True):
    """The offsets of a batch's records, and the records' number and size. Returned to the consumer with the ack."""

    partitions: tuple[PartitionReceipt, ...]
    records: int
    bytes: int


#: The receipt of a batch that did not come from a consumer.
NO_RECEIPT: Final = Receipt((), 0, 0)

#: An item of a batch: a record, or the result of a step on it.
Item = Record | Ticket | EnrichedTicket | EmbeddedTicket | TicketPoints | Rejected

T_co = TypeVar("T_co", bound=Item, covariant=True)


class Batch(Struct, Generic[T_co], frozen=True):
    """The records of one poll, in order, or their results. Dataflows pass batches on, never single records.

    `receipt` is returned to the consumer that made it, when everything in `items` is acked.
    """

    items: tuple[T_co, ...]
    receipt: Receipt = NO_RECEIPT


def record_of(item: Item) -> Record:
    """The record that `item` is, or was made from."""
    return item if isinstance(item, Record) else item.record
