"""A topic as a sink, which carries the results of one role to the next."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from connectors.kafka.producer import Outgoing, Sender
from core.records import EnrichedTicket, TicketPoints
from core.wire.format import OutgoingRecord

T = TypeVar("T", bound=EnrichedTicket | TicketPoints)


class TopicSink(Generic[T]):
    """Implements `core.protocols.Sink`. Key and partition are kept, and so is the order of each ticket's events."""

    def __init__(self, sender: Sender, *, topic: str, message: Callable[[T], OutgoingRecord]) -> None:
        """A sink of tickets.

        Args:
            sender: of the broker.
            topic: has at least as many partitions as the topic that the tickets were read from.
            message: encodes a ticket in the topic's wire format.
        """
        self._sender = sender
        self._topic = topic
        self._message = message

    def write(self, tickets: Sequence[T], /) -> None:
        """Durable on return: every in-sync replica has all of them.

        Raises:
            TransientError: the broker did not accept all; some may be written.
            RefusedError: one is too large for the topic; others may be written.
            FatalError: the broker refuses, or topic or partition is missing.
        """
        self._sender.send([self._outgoing(ticket) for ticket in tickets])

    def _outgoing(self, ticket: T) -> Outgoing:
        record, message = ticket.record, self._message(ticket)
        return Outgoing(self._topic, record.key, message.value, message.headers, record.origin.partition)
