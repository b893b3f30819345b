"""The record of an outbox event."""

from connectors.kafka.producer import Outgoing
from core.contract import record_key
from core.ticket_store import OutboxEvent


def outgoing(event: OutboxEvent, topic: str) -> Outgoing:
    """The record, with the ticket's key, and the trace of the request that made the version."""
    headers = (("traceparent", event.traceparent.encode()),) if event.traceparent else ()
    return Outgoing(topic, record_key(event.tenant_id, event.ticket_id), event.value, headers)
