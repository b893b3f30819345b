"""Enrichment adds the customer's facts."""

from collections.abc import Mapping

import pytest

from core.errors import TransientError
from core.records import EnrichedTicket
from operators.enrich import enrich
from tests.operators.samples import enriched, ticket


class _Directory:
    """A directory with customer C-1 of acme, which records lookups; `down` raises TransientError."""

    def __init__(self, *, down: bool = False) -> None:
        self.asked: list[tuple[str, str]] = []
        self._down = down

    def lookup(self, tenant_id: str, customer_id: str) -> Mapping[str, str] | None:
        """See `core.protocols.CustomerDirectory`."""
        self.asked.append((tenant_id, customer_id))
        if self._down:
            raise TransientError("the directory does not answer")
        return {"plan": "gold"} if (tenant_id, customer_id) == ("acme", "C-1") else None


def test_a_known_customer_adds_facts() -> None:
    """A customer is looked up by tenant and id; an unknown one adds no facts."""
    directory = _Directory()
    known, unknown = enrich([enriched(customer_id="C-1"), enriched(customer_id="C-2")], customers=directory)
    assert isinstance(known, EnrichedTicket)
    assert isinstance(unknown, EnrichedTicket)
    assert (known.customer, unknown.customer) == ({"plan": "gold"}, None)
    assert directory.asked == [("acme", "C-1"), ("acme", "C-2")]


def test_a_ticket_without_a_customer_makes_no_lookup() -> None:
    """A ticket without a customer, or a deleted one, passes without a lookup."""
    directory = _Directory()
    items = [enriched(), EnrichedTicket(ticket(deleted=True))]
    assert enrich(items, customers=directory) == items
    assert directory.asked == []


def test_an_outage_of_the_directory_raises() -> None:
    """An outage raises TransientError, so the batch is retried and no ticket lacks its facts."""
    with pytest.raises(TransientError):
        enrich([enriched(customer_id="C-1")], customers=_Directory(down=True))
