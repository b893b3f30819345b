"""One trace follows a ticket from the browser through the ticket API, its outbox, Kafka and the worker to the index."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from fastapi.testclient import TestClient

from connectors.kafka.outbox import outgoing
from connectors.kafka.producer import Outgoing
from core.errors import RefusedError
from core.records import Origin, Record
from core.settings import Settings
from core.ticket_store import OutboxEvent
from delivery.relay import Relay
from runtime.telemetry import Telemetry
from services.tickets.app import tickets_app
from services.tickets.changes import Tickets
from tests.connectors.ticket_store.stores import Stores, dynamo_stores, sqlite_stores
from tests.fakes import FakeIndex
from tests.rigs.dynamodb import dynamodb
from tests.rigs.spans import Spans, attributes
from tests.services.tickets.apps import PATH, NamedCallers
from tests.stream.traced import work

TRACE = "67891233abcdef012345678912345678"
BROWSER = f"00-{TRACE}-b7ad6b7169203331-01"
_SETTINGS = Settings()


def _create(spans: Spans, stores: Stores, traceparent: str | None) -> None:
    """Create a ticket over HTTP."""
    tickets = Tickets(stores.tickets, limits=_SETTINGS.contract, admit=lambda: None, written=lambda: None)
    app = tickets_app(
        tickets, settings=_SETTINGS, authenticator=NamedCallers(), telemetry=Telemetry(tracing=spans.provider)
    )
    headers = {"Authorization": "Bearer acme/jane/operator"} | ({"traceparent": traceparent} if traceparent else {})
    with TestClient(app) as client:
        body = {"ticket_id": "T-1", "subject": "Wrong VAT", "body": "The invoice has the old rate."}
        assert client.post(PATH, json=body, headers=headers).status_code == 201


def _relay(stores: Stores) -> list[Record]:
    """The records that the relay sends, as a consumer reads them."""
    sent: list[Outgoing] = []

    def send(events: Sequence[OutboxEvent], /) -> dict[int, RefusedError]:
        sent.extend(outgoing(event, "tickets.raw") for event in events)
        return {}

    Relay(stores.outbox, send, owner="test").run_once()
    return [Record(Origin("tickets.raw", 3, n), one.key, one.value, 1, one.headers) for n, one in enumerate(sent)]


def test_one_trace_follows_a_ticket_to_the_index() -> None:
    """The request, the processing of its record and the write to the index are spans of the browser's trace."""
    spans, index = Spans(), FakeIndex()
    with dynamodb() as client:
        stores = dynamo_stores(client)
        _create(spans, stores, BROWSER)
        records = _relay(stores)
    work(spans, records, index)
    request, process, write = spans.named("POST"), spans.named("process tickets.raw"), spans.named("write index")
    assert {f"{span.context.trace_id:032x}" for span in spans.ended()} == {TRACE}
    parents = [span.parent.span_id if span.parent else 0 for span in (request, process, write)]
    assert parents == [int("b7ad6b7169203331", 16), request.context.span_id, process.context.span_id]
    assert attributes(request)["http.route"] == f"{PATH}"
    assert attributes(process)["messaging.destination.partition.id"] == "3"
    assert (process.start_time or 0) <= (write.start_time or 0) <= (write.end_time or 0) <= (process.end_time or 0)
    assert ("acme", "T-1") in index.versions
    assert not [span for span in spans.ended() if "VAT" in str(span.attributes)]


def test_a_trace_that_is_not_sampled_costs_nothing() -> None:
    """Neither the table nor the record has a header of it, and there is no span."""
    spans, index = Spans(ratio=0), FakeIndex()
    with dynamodb() as client:
        stores = dynamo_stores(client)
        _create(spans, stores, None)
        records = _relay(stores)
    assert [record.headers for record in records] == [()]
    work(spans, records, index)
    assert spans.ended() == []
    assert ("acme", "T-1") in index.versions


def test_a_trace_of_the_api_begins_with_the_time() -> None:
    """X-Ray shows only traces whose id begins with their time."""
    spans = Spans()
    with dynamodb() as client:
        stores = dynamo_stores(client)
        _create(spans, stores, None)
        (record,) = _relay(stores)
    (span,) = spans.ended()
    assert span.start_time is not None
    assert abs((span.context.trace_id >> 96) - span.start_time // 1_000_000_000) <= 1
    assert (
        dict(record.headers)["traceparent"]
        == f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01".encode()
    )


def test_sqlite_keeps_no_trace(tmp_path: Path) -> None:
    """The outbox in a file has no column for it, so the ticket is sent without."""
    with ExitStack() as stack:
        stores = sqlite_stores(tmp_path, stack)
        _create(Spans(), stores, BROWSER)
        (record,) = _relay(stores)
    assert record.headers == ()
