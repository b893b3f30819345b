"""Records the calls of DynamoDB that the services' stores make, as IAM checks them: an action and a resource."""

from collections.abc import Callable, Iterator
from typing import Any, cast

from msgspec.structs import replace

from connectors.checkpoints.dynamodb import DynamoCheckpoints
from connectors.checkpoints.dynamodb import definition as checkpoint_definition
from connectors.dynamodb import Client
from connectors.dynamodb_tables import Tables
from connectors.sessions.dynamodb import DynamoEndings
from connectors.sessions.dynamodb import definitions as session_definitions
from connectors.ticket_store.dynamodb import DynamoTickets
from connectors.ticket_store.dynamodb_outbox import DynamoOutbox
from core.producing import Checkpoint
from core.sessions import Ending
from core.ticket_store import RequestKey, TicketQuery
from tests.connectors.feedback import stores
from tests.connectors.ticket_store.stores import NOW_MS, create_tables, delete, saved, upsert
from tests.rigs.dynamodb import dynamodb

Call = tuple[str, str]


class _Recorder:
    """A client of DynamoDB that notes its calls."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._client, name)

        def noted(**request: Any) -> Any:
            self.calls.append((name, request))
            return call(**request)

        return noted


def calls_of_the_ticket_api() -> set[Call]:
    """Every action with its table, or table/index/NAME, without the prefix of the tables' names."""
    with dynamodb() as client:
        made = create_tables(client)
        recorder = _Recorder(client)
        _exercise(replace(made, client=cast("Client", recorder)))
    return _noted(recorder, made.prefix)


def calls_of_the_tickets_function() -> set[Call]:
    """The same of the ticket API as a function, whose relay is another function."""
    with dynamodb() as client:
        made = create_tables(client)
        recorder = _Recorder(client)
        tables = replace(made, client=cast("Client", recorder))
        _change_tickets(tables)
        DynamoOutbox(tables).size()
    return _noted(recorder, made.prefix)


def calls_of_the_outbox() -> set[Call]:
    """The same of the function that relays the outbox."""
    with dynamodb() as client:
        made = create_tables(client)
        _change_tickets(made)
        recorder = _Recorder(client)
        tables = replace(made, client=cast("Client", recorder))
        DynamoTickets(tables).ping()
        _relay(DynamoOutbox(tables))
    return _noted(recorder, made.prefix)


def calls_of_a_workflow_step(step: str) -> set[Call]:
    """The same of a step of the workflow."""
    with dynamodb() as client:
        made = create_tables(client)
        DynamoTickets(made).apply(upsert(customer_id="C-1"))
        recorder = _Recorder(client)
        store = DynamoTickets(replace(made, client=cast("Client", recorder)))
        store.ping()
        assert store.get("acme", "T-1") is not None
        if step == "find":
            store.find(TicketQuery(tenant_id="acme", limit=10, customer_id="C-1"))
        if step in ("answer", "decide"):
            store.apply(upsert(version=2))
    return _noted(recorder, made.prefix)


def calls_of_feedback() -> set[Call]:
    """The same of the RAG service's store of feedback, without an export, which is the operator's."""
    with dynamodb() as client:
        made = stores.create_tables(client)
        recorder = _Recorder(client)
        store = stores.dynamo_feedback(replace(made, client=cast("Client", recorder)))
        store.ping()
        answer = stores.given()
        store.remember(answer)
        store.answer("acme", answer.answer_id)
        for verdict in ("sent", "discarded"):
            store.vote(stores.verdict(answer, verdict, at_ms=2))
        store.votes("acme", answer.tickets)
        store.lease("me", now_ms=1, until_ms=2)
        store.mark_sent([one.row_id for one in store.unsent(10)])
        store.release("me")
    return _noted(recorder, made.prefix)


def calls_of_sessions() -> set[Call]:
    """The same of the store of ended sign-ins, which every service uses."""
    with dynamodb() as client:
        for definition in session_definitions(""):
            client.create_table(**definition)
        recorder = _Recorder(client)
        endings = DynamoEndings(Tables(cast("Client", recorder), "", ""))
        endings.put(Ending("a", 1, 10), now_ms=0)
        endings.find(["a", "b"], now_ms=0)
    return _noted(recorder, "")


def calls_of_the_producer() -> set[Call]:
    """The same of the producer's checkpoints and leases."""
    with dynamodb() as client:
        client.create_table(**checkpoint_definition("Checkpoints"))
        recorder = _Recorder(client)
        store = DynamoCheckpoints(cast("Client", recorder), "Checkpoints")
        store.ping()
        store.join("me", now_ms=1, until_ms=2)
        found = store.claim(Checkpoint(file_id="f", name="f", first_ms=1), "me", now_ms=1, until_ms=2)
        assert found is not None
        store.save(found, "me")
        store.load()
        store.release("f", "me")
        store.forget(["f"], now_ms=3)
        store.leave("me")
    return _noted(recorder, "")


def _noted(recorder: _Recorder, prefix: str) -> set[Call]:
    return {
        (f"dynamodb:{action}", resource.removeprefix(prefix))
        for name, request in recorder.calls
        for action, resource in _checked(name, request)
    }


def _exercise(tables: Tables) -> None:
    """Call each method of the stores."""
    _change_tickets(tables)
    _relay(DynamoOutbox(tables))


def _change_tickets(tables: Tables) -> None:
    tickets = DynamoTickets(tables)
    tickets.ping()
    key = RequestKey("acme", "u-1", "k-1")
    tickets.apply(upsert(request=(key, saved()), status="open", customer_id="C-1"))
    tickets.apply(upsert(version=2))
    tickets.apply(delete(version=3))
    tickets.get("acme", "T-1")
    tickets.response(key, now_ms=NOW_MS)
    for status, customer_id in ((None, None), ("open", None), (None, "C-1")):
        tickets.find(TicketQuery(tenant_id="acme", limit=10, status=status, customer_id=customer_id))


def _relay(outbox: DynamoOutbox) -> None:
    outbox.lease("me", now_ms=NOW_MS, until_ms=NOW_MS + 1)
    outbox.size()
    first, *_ = (event for page in outbox.pages(10) for event in page)
    outbox.remove([first])
    for page in outbox.pages(10):  # looks whether the first event is gone
        outbox.remove(page)
    outbox.release("me")


def _checked(name: str, request: dict[str, Any]) -> Iterator[Call]:
    action = "".join(part.capitalize() for part in name.split("_"))
    if name == "transact_write_items":  # IAM checks each item as a call of its own
        for item in request["TransactItems"]:
            (kind,) = item
            yield f"{kind}Item", item[kind]["TableName"]
    elif "RequestItems" in request:
        for table in request["RequestItems"]:
            yield action, table
    elif "IndexName" in request:
        yield action, f"{request['TableName']}/index/{request['IndexName']}"
    else:
        yield action, request["TableName"]
