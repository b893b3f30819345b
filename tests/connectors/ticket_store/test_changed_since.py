"""The tickets of a store that changed since a time, over SQLite and DynamoDB."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

import pytest

from tests.connectors.ticket_store.stores import Kind, Stores, delete, dynamo_stores, sqlite_stores, upsert
from tests.rigs.dynamodb import dynamodb


@pytest.fixture(params=get_args(Kind))
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """Empty stores of each kind."""
    with ExitStack() as stack:
        if request.param == "dynamodb":
            yield dynamo_stores(stack.enter_context(dynamodb()))
        else:
            yield sqlite_stores(tmp_path, stack)


def test_tickets_that_changed_since_a_time_are_read_as_they_are_now(stores: Stores) -> None:
    """Each is given once, at its current version, deletions included; older ones are not."""
    for number in range(5):
        stores.tickets.apply(upsert(f"T-{number}", tenant_id="acme" if number % 2 else "globex"))
    since_ms = upsert(version=2).updated_ms
    changes = [
        upsert("T-0", version=2, tenant_id="globex", subject="new"),
        delete("T-1", version=2),
        upsert("T-3", version=2),
        upsert("T-3", version=3),
    ]
    for change in changes:
        stores.tickets.apply(change)
    last = {change.event.ticket_id: change for change in changes}
    found = {event.ticket_id: event for event in stores.tickets.changed_since(since_ms)}
    assert {name: (one.tenant_id, one.version, one.updated_ms, one.value) for name, one in found.items()} == {
        name: (one.event.tenant_id, one.event.version, one.updated_ms, one.value) for name, one in last.items()
    }
    assert len(list(stores.tickets.changed_since(0))) == 5
    assert list(stores.tickets.changed_since(since_ms + 10_000)) == []


def test_a_long_table_is_read_in_parts(stores: Stores) -> None:
    """More tickets than fit into one page are all read, each once."""
    wanted = {f"T-{number}" for number in range(250)}
    for ticket_id in wanted:
        stores.tickets.apply(upsert(ticket_id, body="x" * 5_000))
    found = [event.ticket_id for event in stores.tickets.changed_since(0)]
    assert len(found) == 250
    assert set(found) == wanted
