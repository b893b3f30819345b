"""The laws of a ticket store, over SQLite and DynamoDB."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import get_args

import msgspec
import pytest

from connectors.dynamodb import Client
from core.contract import DeleteEvent, TicketEvent, UpsertEvent
from core.ticket_store import (
    Change,
    ConflictError,
    Cursor,
    KeyUsedError,
    OutboxEvent,
    OutboxSize,
    RequestKey,
    TicketQuery,
    TicketSummary,
    summary_of,
    version_of,
)
from tests.connectors.ticket_store.stores import (
    NOW_MS,
    Kind,
    Stores,
    delete,
    dynamo_stores,
    saved,
    sqlite_stores,
    upsert,
)
from tests.rigs.dynamodb import dynamodb

KEY = RequestKey("acme", "jane", "k-1")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with dynamodb() as opened:
        yield opened


@pytest.fixture(params=get_args(Kind))
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """Empty stores of each kind."""
    with ExitStack() as stack:
        if request.param == "dynamodb":
            yield dynamo_stores(request.getfixturevalue("client"))
        else:
            yield sqlite_stores(tmp_path, stack)


def pending(stores: Stores, size: int = 100) -> list[OutboxEvent]:
    return [event for page in stores.outbox.pages(size) for event in page]


def found(stores: Stores, **query: object) -> list[TicketSummary]:
    """All pages of a list."""
    wanted = msgspec.convert({"tenant_id": "acme", "limit": 3, **query}, TicketQuery)
    tickets: list[TicketSummary] = []
    while True:
        page = stores.tickets.find(wanted)
        tickets += page.tickets
        if page.next is None:
            return tickets
        wanted = msgspec.structs.replace(wanted, after=page.next)


def test_a_ticket_is_read_as_it_was_written(stores: Stores) -> None:
    """Every field is read as it was written."""
    change = upsert(
        subject="Straße \U0001f600",
        tags=["vip"],
        attributes={"n": 2**63 - 1, "x": 0.1, "b": True, "none": None},
        messages=[{"author": "agent", "body": "Hello", "created_at": "2026-01-05T08:00:00Z", "public": False}],
    )
    stores.tickets.apply(change)
    assert stores.tickets.get("acme", "T-1") == change.event
    assert stores.tickets.get("acme", "T-2") is None
    assert stores.tickets.get("other", "T-1") is None


def test_a_change_replaces_only_the_version_that_it_names(stores: Stores) -> None:
    """A change of another version, and a second creation, change nothing and send nothing."""
    stores.tickets.apply(upsert())
    for stale in (upsert(subject="again"), upsert(version=3, subject="too early"), upsert("T-2", version=2)):
        with pytest.raises(ConflictError):
            stores.tickets.apply(stale)
    stores.tickets.apply(upsert(version=2, subject="second"))
    with pytest.raises(ConflictError):
        stores.tickets.apply(upsert(version=2, subject="late"))
    ticket = stores.tickets.get("acme", "T-1")
    assert isinstance(ticket, UpsertEvent)
    assert ticket.subject == "second"
    assert stores.tickets.get("acme", "T-2") is None
    assert [event.version for event in pending(stores)] == [1, 2]


def test_one_of_many_writers_of_a_version_wins(stores: Stores) -> None:
    """Of concurrent changes to one version exactly one is written and sent."""
    stores.tickets.apply(upsert())

    def write(number: int) -> bool:
        try:
            stores.tickets.apply(upsert(version=2, subject=f"by {number}"))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = [number for number, done in enumerate(pool.map(write, range(8))) if done]
    assert len(won) == 1
    ticket = stores.tickets.get("acme", "T-1")
    assert isinstance(ticket, UpsertEvent)
    assert ticket.subject == f"by {won[0]}"
    assert len(pending(stores)) == 2


def test_a_deleted_ticket_stays_deleted(stores: Stores) -> None:
    """A tombstone keeps its version, so neither a late change nor a new ticket with its id brings it back."""
    stores.tickets.apply(upsert(customer_id="C-1"))
    stores.tickets.apply(delete(version=2))
    deleted = stores.tickets.get("acme", "T-1")
    assert isinstance(deleted, DeleteEvent)
    assert deleted.version == 2
    for late in (upsert(), upsert(version=2)):
        with pytest.raises(ConflictError):
            stores.tickets.apply(late)
    assert found(stores) == found(stores, customer_id="C-1") == found(stores, status="open") == []


def test_a_list_has_each_ticket_of_the_tenant_once(stores: Stores) -> None:
    """Lists are newest first, cross no tenant, follow updates, and can be narrowed down by status and customer."""
    for number in range(11):
        status, customer = ("open", "closed")[number % 2], f"C-{number % 3}"
        created_ms = NOW_MS + number // 2  # several in one millisecond
        stores.tickets.apply(upsert(f"T-{number:02}", created_ms=created_ms, status=status, customer_id=customer))
    stores.tickets.apply(upsert("T-99", tenant_id="acme-2", customer_id="C-0"))
    stores.tickets.apply(upsert("T-00", version=2, status="closed", subject="x" * 1_000))
    stores.tickets.apply(delete("T-10", version=2))

    every = found(stores)
    assert [ticket.ticket_id for ticket in every] == [f"T-{number:02}" for number in range(9, -1, -1)]
    assert every[-1].version == 2
    assert every[-1].subject == "x" * 256
    assert {ticket.ticket_id for ticket in found(stores, status="open")} == {"T-02", "T-04", "T-06", "T-08"}
    assert {ticket.ticket_id for ticket in found(stores, customer_id="C-0")} == {"T-03", "T-06", "T-09"}
    assert {ticket.ticket_id for ticket in found(stores, customer_id="C-0", status="open")} == {"T-06"}
    assert found(stores, tenant_id="nobody") == []
    assert [ticket.ticket_id for ticket in found(stores, after=Cursor(NOW_MS, "T-01"))] == ["T-00"]


def test_a_response_is_kept_with_its_change(stores: Stores) -> None:
    """The same key gets the saved response, until it expires; another user's key is another key."""
    stores.tickets.apply(upsert(request=(KEY, saved(b'{"a": 1}'))))
    assert stores.tickets.response(KEY, now_ms=NOW_MS) == saved(b'{"a": 1}')
    assert stores.tickets.response(KEY, now_ms=saved().expires_ms) is None
    assert stores.tickets.response(RequestKey("acme", "joe", "k-1"), now_ms=NOW_MS) is None
    assert stores.tickets.response(RequestKey("acme-2", "jane", "k-1"), now_ms=NOW_MS) is None


def test_a_key_has_one_effect(stores: Stores) -> None:
    """A change with a used key writes nothing; a conflict leaves its key unused; an expired key can be used again."""
    first = saved(expires_ms=NOW_MS + 3_000)
    stores.tickets.apply(upsert(request=(KEY, first)))
    with pytest.raises(KeyUsedError):
        stores.tickets.apply(upsert("T-2", request=(KEY, saved())))
    assert stores.tickets.get("acme", "T-2") is None
    other = RequestKey("acme", "jane", "k-2")
    with pytest.raises(ConflictError):
        stores.tickets.apply(upsert(request=(other, saved())))
    assert stores.tickets.response(other, now_ms=NOW_MS) is None
    stores.tickets.apply(upsert(version=2))
    stores.tickets.apply(upsert(version=3, request=(KEY, saved(b"new"))))  # written when the first has expired
    assert stores.tickets.response(KEY, now_ms=NOW_MS) == saved(b"new")
    assert len(pending(stores)) == 3


def test_the_outbox_has_every_version_in_order(stores: Stores) -> None:
    """Each change leaves an event with its exact value; the events of a ticket are in order over all pages."""
    changes = [change for number in range(8) for change in (upsert(f"T-{number}"), upsert(f"T-{number}", version=2))]
    changes += [delete("T-3", version=3)]
    for change in changes:
        stores.tickets.apply(change)
    for size in (1, 4, 100):
        events = pending(stores, size)
        assert sorted((event.ticket_id, event.version, event.value) for event in events) == sorted(
            (change.event.ticket_id, version_of(change.event), change.value) for change in changes
        )
        assert in_order(events)
    assert stores.outbox.size() == OutboxSize(17, NOW_MS + 1_000)


def in_order(events: Sequence[OutboxEvent]) -> bool:
    last: dict[str, int] = {}
    for event in events:
        if event.version <= last.get(event.ticket_id, 0):
            return False
        last[event.ticket_id] = event.version
    return True


def test_removed_events_are_gone(stores: Stores) -> None:
    """Removing is idempotent and removes only what it is given, also while the outbox is read."""
    for number in range(30):
        stores.tickets.apply(upsert(f"T-{number}"))
    first, *others = pending(stores)
    stores.outbox.remove([first])
    stores.outbox.remove([first])
    stores.outbox.remove([])
    assert [event.ticket_id for event in pending(stores)] == [event.ticket_id for event in others]
    for page in stores.outbox.pages(7):
        stores.outbox.remove(page)
    assert pending(stores) == []
    assert stores.outbox.size() == OutboxSize(0, None)


def test_a_lease_has_one_owner(stores: Stores) -> None:
    """Only its owner extends or releases a lease; another process gets it after its end or release."""
    lease = stores.outbox.lease
    assert lease("a", now_ms=0, until_ms=10)
    assert not lease("b", now_ms=9, until_ms=20)
    assert lease("a", now_ms=9, until_ms=30)
    assert not lease("b", now_ms=20, until_ms=40)
    assert lease("b", now_ms=30, until_ms=50)
    stores.outbox.release("a")
    assert not lease("a", now_ms=40, until_ms=60)
    stores.outbox.release("b")
    assert lease("a", now_ms=40, until_ms=60)


def test_a_lease_of_a_clock_far_ahead_keeps_nobody_out(stores: Stores) -> None:
    """A lease that ends more than a minute after a new one is taken, and one that ends earlier is not."""
    lease = stores.outbox.lease
    assert lease("ahead", now_ms=10**9, until_ms=10**9 + 10)
    assert lease("b", now_ms=0, until_ms=10)
    assert not lease("c", now_ms=9, until_ms=19)
    stores.outbox.release("b")
    assert lease("ahead", now_ms=50_000, until_ms=60_010)
    assert not lease("b", now_ms=0, until_ms=10)


def test_what_was_written_outlives_the_process(tmp_path: Path) -> None:
    """A store that is opened again has the ticket, the outbox and the response."""
    with ExitStack() as stack:
        sqlite_stores(tmp_path, stack).tickets.apply(upsert(request=(KEY, saved())))
    with ExitStack() as stack:
        stores = sqlite_stores(tmp_path, stack)
        assert stores.tickets.get("acme", "T-1") == upsert().event
        assert stores.tickets.response(KEY, now_ms=NOW_MS) == saved()
        assert len(pending(stores)) == 1


@pytest.mark.parametrize("seed", range(2))
def test_a_store_behaves_like_a_dictionary(stores: Stores, seed: int) -> None:
    """After any sequence of changes, tickets, lists and outbox equal those of a model."""
    rng, model, log = Random(seed), dict[tuple[str, str], TicketEvent](), list[Change]()
    for _ in range(50):
        change = _random_change(rng, model)
        key = (change.event.tenant_id, change.event.ticket_id)
        current = model.get(key)
        fits = change.replaces == (0 if current is None else version_of(current))
        if fits:
            stores.tickets.apply(change)
            model[key] = change.event
            log.append(change)
        else:
            with pytest.raises(ConflictError):
                stores.tickets.apply(change)
        assert stores.tickets.get(*key) == model.get(key)
    for tenant in ("a", "b"):
        live = [event for event in model.values() if isinstance(event, UpsertEvent) and event.tenant_id == tenant]
        expected = {event.ticket_id: summary_of(event) for event in live}
        assert {ticket.ticket_id: ticket for ticket in found(stores, tenant_id=tenant)} == expected
    assert {event.value for event in pending(stores, 7)} == {change.value for change in log}


def _random_change(rng: Random, model: dict[tuple[str, str], TicketEvent]) -> Change:
    tenant, ticket = rng.choice("ab"), rng.choice(["T/1", "T-2", "ä", "T 4"])
    current = model.get((tenant, ticket))
    version = (0 if current is None else version_of(current)) + rng.choice([1, 1, 1, 0, 2])
    if current is not None and rng.random() < 0.2:
        return delete(ticket, version=max(version, 2), tenant_id=tenant)
    return upsert(ticket, version=max(version, 1), tenant_id=tenant, subject=str(rng.random()), status=rng.choice("xy"))
