"""Sends the tickets of the ticket API's store to the topic again, after the topic lost some."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Final, Protocol

from msgspec import Struct

from connectors.kafka.outbox import outgoing
from connectors.kafka.producer import Outgoing
from core.errors import RefusedError
from core.ticket_store import OutboxEvent

#: Tickets sent at once.
_BATCH: Final = 200


class Offer(Protocol):
    """The part of `connectors.kafka.producer.Sender` that this needs."""

    def offer(self, records: Sequence[Outgoing]) -> Mapping[int, RefusedError]:
        """Durable on return, except the records that the topic refuses, by index."""
        ...


class Resent(Struct, frozen=True):
    """Numbers of tickets sent, and of those that the topic refused, for `--json`."""

    tickets: int
    refused: int


def resend(
    versions: Iterable[OutboxEvent], sender: Offer, topic: str, *, advance: Callable[[int], None] = lambda _n: None
) -> Resent:
    """Send each version. One that the topic or the index already has changes nothing there.

    Raises:
        TransientError: the broker or the store is unavailable; what was sent may be sent again.
        FatalError: the broker refuses, or the topic is missing.
    """
    tickets, refused, left = 0, 0, iter(versions)
    while batch := list(islice(left, _BATCH)):
        failed = len(sender.offer([outgoing(event, topic) for event in batch]))
        tickets, refused = tickets + len(batch) - failed, refused + failed
        advance(len(batch))
    return Resent(tickets, refused)
