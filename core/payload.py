"""The payload of a point: the fields that the index holds beside its vector."""

from collections.abc import Mapping
from typing import Final, TypedDict

_Scalar = str | int | float | bool | None

#: The value of a payload's field.
PayloadValue = _Scalar | list[str] | dict[str, _Scalar]

#: Fields that answers give apart from the payload, or not at all.
_NOT_SHOWN: Final = frozenset({"text", "tenant_id", "ticket_id", "head", "version", "chunk", "chunks", "state"})


def shown(payload: Mapping[str, PayloadValue]) -> dict[str, PayloadValue]:
    """The fields of a payload that an answer shows as such."""
    return {name: value for name, value in payload.items() if name not in _NOT_SHOWN}


class Payload(TypedDict, total=False):
    """A point's payload: facts about its ticket, then about its own passage. Times are milliseconds since 1970.

    `head` is the id of the ticket's chunk 0. A tombstone holds `tenant_id`, `ticket_id`, `head`, `version`, `chunk`,
    `chunks` and `state` only. In other points a field is left out if the ticket has no value for it.

    `messages` is the number of the thread's messages. `solved` is "yes" where the status means so, `solved_at` the time
    of its solution, and `resolution` is true in passages of the message that solved it (`operators.outcome`).
    `message_at` is the time of the passage's message, and [`start`, `end`) its characters in that message's cleaned
    text.
    """

    tenant_id: str
    ticket_id: str
    head: str
    version: int
    state: str
    model: str
    contract: int
    origin: str
    subject: str
    status: str
    channel: str
    tags: list[str]
    created_at: int
    updated_at: int
    messages: int
    solved: str
    solved_at: int
    category: str
    category_confidence: float
    priority: str
    priority_confidence: float
    #: Stamp of the labeller that chose the labels with a confidence.
    label_model: str
    language: str
    language_confidence: float
    customer_id: str
    customer: dict[str, str]
    attributes: dict[str, _Scalar]

    chunk: int
    chunks: int
    text: str
    role: str
    visibility: str
    message: int
    message_at: int
    start: int
    end: int
    resolution: bool

    #: State of a point that holds a part of the index's provenance, not of a ticket (`connectors.qdrant.provenance`).
    provenance: str
