"""Adds the customer's facts, from a customer directory."""

from collections.abc import Sequence

import msgspec

from core.protocols import CustomerDirectory
from core.records import EnrichedTicket, Rejected


def enrich(items: Sequence[EnrichedTicket], *, customers: CustomerDirectory) -> list[EnrichedTicket | Rejected]:
    """Add the facts in `customers` about each ticket's customer.

    Raises:
        TransientError: the directory can't be reached.
    """
    return [_enriched(item, customers) for item in items]


def _enriched(item: EnrichedTicket, customers: CustomerDirectory) -> EnrichedTicket:
    content = item.ticket.content
    if content is None or content.customer_id is None:
        return item
    return msgspec.structs.replace(item, customer=customers.lookup(item.ticket.tenant_id, content.customer_id))
