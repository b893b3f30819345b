"""What is known about who wrote."""

from collections.abc import Mapping

import pytest

from core.errors import TransientError
from core.records import EnrichedTicket
from operators.enrich import enrich
from tests.operators.samples import enriched, ticket


class _Directory:
    """Knows customer C-1 of acme; notes who was asked for; `down` makes it an outage."""

    def __init__(self, *, down: bool = False) -> None:
        self.asked: list[tuple[str, str]] = []
        self._down = down

    def lookup(self, tenant_id: str, customer_id: str) -> Mapping[str, str] | None:
        """See `core.protocols.CustomerDirectory`."""
        self.asked.append((tenant_id, customer_id))
        if self._down:
            raise TransientError("the directory does not answer")
        return {"plan": "gold"} if (tenant_id, customer_id) == ("acme", "C-1") else None


def test_a_known_customer_brings_facts() -> None:
    """Asked by tenant and customer; an unknown one brings none."""
    directory = _Directory()
    known, unknown = enrich([enriched(customer_id="C-1"), enriched(customer_id="C-2")], customers=directory)
    assert isinstance(known, EnrichedTicket)
    assert isinstance(unknown, EnrichedTicket)
    assert (known.customer, unknown.customer) == ({"plan": "gold"}, None)
    assert directory.asked == [("acme", "C-1"), ("acme", "C-2")]


def test_a_ticket_without_a_customer_asks_nobody() -> None:
    """Neither does a deleted one."""
    directory = _Directory()
    items = [enriched(), EnrichedTicket(ticket(deleted=True))]
    assert enrich(items, customers=directory) == items
    assert directory.asked == []


def test_an_outage_of_the_directory_is_no_fault_of_the_ticket() -> None:
    """It raises, for the batch to be tried again; a ticket without its context must not slip through."""
    with pytest.raises(TransientError):
        enrich([enriched(customer_id="C-1")], customers=_Directory(down=True))
