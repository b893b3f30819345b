"""Concurrent changes, over both stores: one effect per key, and one version per change."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

import pytest

from core.settings import ContractSettings
from services.http.callers import Caller
from services.http.problems import Problem
from services.tickets.bodies import NewComment, NewTicket, TicketPatch
from services.tickets.changes import Outcome, Tickets
from services.tickets.edits import comment_edit, create_edit, delete_edit, update_edit
from services.tickets.idempotency import keyed_request
from services.tickets.preconditions import Condition
from tests.connectors.ticket_store.stores import Kind, Stores, dynamo_stores, sqlite_stores
from tests.rigs.dynamodb import dynamodb

JANE = Caller("acme", "jane", frozenset({"agent"}))
ANY = Condition(None)
_THREADS = 8


@pytest.fixture(params=get_args(Kind))
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    with ExitStack() as stack:
        if request.param == "dynamodb":
            yield dynamo_stores(stack.enter_context(dynamodb()))
        else:
            yield sqlite_stores(tmp_path, stack)


@pytest.fixture
def tickets(stores: Stores) -> Tickets:
    return Tickets(stores.tickets, limits=ContractSettings(), admit=lambda: None, written=lambda: None)


def pending(stores: Stores) -> int:
    return sum(len(page) for page in stores.outbox.pages(100))


def test_requests_with_one_key_at_once_have_one_effect(stores: Stores, tickets: Tickets) -> None:
    """Concurrent requests with one key have one effect, and all get its response."""
    body = NewTicket(subject="x")

    def create(_number: int) -> Outcome:
        request = keyed_request(JANE, "k-1", what="POST", body=body)
        return tickets.change(create_edit(JANE, body, path="/tickets"), request)

    with ThreadPoolExecutor(_THREADS) as pool:
        outcomes = list(pool.map(create, range(_THREADS)))
    assert len({outcome.body for outcome in outcomes}) == 1
    assert pending(stores) == 1


@pytest.mark.parametrize("name", ["create", "update", "delete"])
def test_a_request_that_meets_its_own_effect_gets_its_response(stores: Stores, tickets: Tickets, name: str) -> None:
    """A request that is repeated while it is being answered gets its response, although its condition is broken."""
    new, patch, first = NewTicket(ticket_id="T-1"), TicketPatch(status="x"), Condition(frozenset({"1"}))
    edits = {
        "create": create_edit(JANE, new, path="/tickets"),
        "update": update_edit(JANE, "T-1", first, patch),
        "delete": delete_edit(JANE, "T-1", first),
    }
    if name != "create":
        tickets.change(edits["create"], None)
    request = keyed_request(JANE, "k-1", what=name, body=None)
    outcomes: list[Outcome] = []

    def admit() -> None:  # called between the look for the key and the change
        if not outcomes:
            outcomes.append(tickets.change(edits[name], request))

    repeated = Tickets(stores.tickets, limits=ContractSettings(), admit=admit, written=lambda: None)
    outcomes.append(repeated.change(edits[name], request))
    assert outcomes[0] == outcomes[1]
    assert pending(stores) == 1 + (name != "create")


def test_changes_for_any_version_are_all_kept(stores: Stores, tickets: Tickets) -> None:
    """Each acknowledged change has its own version; one that is overtaken too often gets a conflict."""
    tickets.change(create_edit(JANE, NewTicket(ticket_id="T-1"), path="/tickets"), None)

    def comment(number: int) -> str:
        try:
            tickets.change(comment_edit(JANE, "T-1", ANY, NewComment(body=f"c{number}")), None)
        except Problem as problem:
            return problem.kind
        return "done"

    with ThreadPoolExecutor(_THREADS) as pool:
        outcomes = Counter(pool.map(comment, range(_THREADS)))
    done = outcomes["done"]
    assert set(outcomes) <= {"done", "conflict"}
    ticket = tickets.get("acme", "T-1")
    assert done > 0
    assert ticket.version == 1 + done == 1 + len(ticket.messages) == pending(stores)
    assert set(Counter(message.body for message in ticket.messages).values()) == {1}


def test_one_of_the_changes_of_a_version_wins(stores: Stores, tickets: Tickets) -> None:
    """Of several changes that name one version one is executed, and the others get a conflict."""
    tickets.change(create_edit(JANE, NewTicket(ticket_id="T-1"), path="/tickets"), None)
    first = Condition(frozenset({"1"}))

    def update(number: int) -> str:
        try:
            tickets.change(update_edit(JANE, "T-1", first, TicketPatch(status=f"s{number}")), None)
        except Problem as problem:
            return problem.kind
        return "done"

    with ThreadPoolExecutor(_THREADS) as pool:
        assert Counter(pool.map(update, range(_THREADS))) == {"done": 1, "precondition-failed": _THREADS - 1}
    assert pending(stores) == 2


def test_a_ticket_too_large_for_the_store_is_refused() -> None:
    """A ticket too large for DynamoDB gets 413, and nothing is written."""
    with dynamodb() as client:
        stores = dynamo_stores(client)
        tickets = Tickets(stores.tickets, limits=ContractSettings(), admit=lambda: None, written=lambda: None)
        body = NewTicket(body="".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(300_000)))
        with pytest.raises(Problem) as caught:
            tickets.change(create_edit(JANE, body, path="/tickets"), None)
        assert caught.value.kind == "too-large"
        assert pending(stores) == 0
