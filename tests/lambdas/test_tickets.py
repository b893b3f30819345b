"""The ticket API behind API Gateway answers as the service does, and in time."""

import base64
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Any

import pytest

from core.settings import Settings
from core.ticket_store import OutboxSize
from lambdas.function import Call, Event, Handle
from runtime.telemetry import Telemetry
from services.http.limits import throttle_of_process
from services.http.problems import Problem
from services.tickets.app import tickets_app
from services.tickets.changes import Tickets
from services.tickets.monitor import Monitor
from tests.connectors.ticket_store.stores import Stores, dynamo_stores
from tests.lambdas.events import FakeContext, call, content, gateway_request
from tests.rigs.dynamodb import dynamodb
from tests.services.tickets.apps import PATH, UNLIMITED, NamedCallers

if find_spec("mangum") is None and not os.environ.get("CI"):
    pytest.skip("mangum is not installed; run `make install`", allow_module_level=True)

from lambdas.tickets import Admission, gateway, traced

TOKEN = {"Authorization": "Bearer acme/jane/operator"}


class Rig:
    """The function over tables of its own."""

    def __init__(self, stores: Stores, stack: ExitStack) -> None:
        self.stores = stores
        self.hold = threading.Event()
        self.hold.set()
        settings = Settings()
        app = tickets_app(
            Tickets(stores.tickets, limits=settings.contract, admit=self._wait, written=lambda: None),
            settings=settings,
            authenticator=NamedCallers(),
            telemetry=Telemetry(),
            throttle=throttle_of_process(UNLIMITED),
        )
        self.handle: Handle = gateway(app, stack)

    def _wait(self) -> None:
        self.hold.wait()

    def send(self, method: str, path: str = "", body: object = None, **headers: str) -> Event:
        given = TOKEN | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.handle(gateway_request(method, PATH + path, body, headers=given), call())


@pytest.fixture
def rig() -> Iterator[Rig]:
    with ExitStack() as stack:
        stores = dynamo_stores(stack.enter_context(dynamodb()))
        made = Rig(stores, stack)
        stack.callback(made.hold.set)
        yield made


def test_a_ticket_is_created_read_changed_and_listed(rig: Rig) -> None:
    """Method, path, query, headers and body reach the app; status, headers and body come back as text."""
    created = rig.send("POST", body={"ticket_id": "T-1", "subject": "Überweisung", "body": "it fails"})
    assert (created["statusCode"], created["headers"]["location"]) == (201, f"{PATH}/T-1")
    read = rig.send("GET", "/T-1")
    assert (content(read)["subject"], read["headers"]["etag"]) == ("Überweisung", '"1"')
    assert rig.send("GET", "/T-1", If_None_Match='"1"')["statusCode"] == 304
    changed = rig.send("PATCH", "/T-1", {"status": "pending"}, If_Match='"1"')
    assert (changed["statusCode"], content(changed)["version"]) == (200, 2)
    listed = rig.handle(gateway_request("GET", PATH, headers=TOKEN, limit="1", status="pending"), call())
    assert [ticket["ticket_id"] for ticket in content(listed)["tickets"]] == ["T-1"]
    assert not listed["isBase64Encoded"]


def test_a_problem_is_a_document_in_text(rig: Rig) -> None:
    """A problem document is returned as text, because API Gateway doesn't decode base64 of undeclared media types."""
    for response, status in (
        (rig.send("GET", "/T-9"), 404),
        (rig.handle(gateway_request("GET", PATH), call()), 401),
        (rig.send("POST", body={"tenant_id": "other", "body": "x"}), 422),
    ):
        assert response["statusCode"] == status
        assert response["headers"]["content-type"] == "application/problem+json"
        assert not response["isBase64Encoded"]
        assert content(response)["status"] == status


def test_a_request_sent_twice_with_its_key_has_one_effect(rig: Rig) -> None:
    """A request repeated with its key, as API Gateway and clients do, gets the same response and changes nothing."""
    responses = [rig.send("POST", body={"body": "it fails"}, Idempotency_Key="k-1") for _ in range(2)]
    assert [response["statusCode"] for response in responses] == [201, 201]
    assert responses[0]["body"] == responses[1]["body"]
    assert rig.stores.outbox.size().events == 1


def test_a_body_in_base64_is_decoded(rig: Rig) -> None:
    """A body in base64, API Gateway's encoding of binary media types, is decoded."""
    event = gateway_request("POST", PATH, headers=TOKEN)
    event |= {"body": base64.b64encode(b'{"body":"it fails"}').decode(), "isBase64Encoded": True}
    assert rig.handle(event, call())["statusCode"] == 201


def test_a_slow_request_is_answered_before_lambda_ends_the_process(rig: Rig) -> None:
    """A slow request gets 503 with Retry-After a second before the timeout, and the next request gets a new thread."""
    rig.hold.clear()
    event = gateway_request("POST", PATH, {"ticket_id": "T-1", "body": "x"}, headers=TOKEN)
    response = rig.handle(event, call(1.2))
    assert (response["statusCode"], response["headers"]["retry-after"]) == (503, "1")
    assert content(response)["title"]
    assert rig.send("GET", "/T-9")["statusCode"] == 404


def test_the_trace_of_the_function_is_continued_unless_the_client_has_one() -> None:
    """The app continues X-Ray's trace, unless the client sent a `traceparent`."""
    ours = Call(FakeContext(), "r", "a" * 32, f"00-{'a' * 32}-{'b' * 16}-01")
    event = gateway_request("GET", PATH, headers=TOKEN)
    assert traced(event, ours)["multiValueHeaders"]["traceparent"] == [ours.traceparent]
    theirs = gateway_request("GET", PATH, headers=TOKEN | {"Traceparent": "00-x"})
    assert traced(theirs, ours) == theirs
    assert traced(event, call()) == event


def test_admission_looks_at_the_outbox_now_and_then() -> None:
    """The outbox's size is read at intervals, because a read costs; in between, the function counts its own changes."""

    class Outbox:
        looks = 0

        def size(self) -> OutboxSize:
            self.looks += 1
            return OutboxSize(3, 0)

        def ping(self) -> None:
            pass

    outbox: Any = Outbox()
    now = 0.0
    monitor = Monitor(outbox, outbox, max_events=4)
    admission = Admission(monitor, clock=lambda: now)
    admission.admit()
    monitor.added()
    with pytest.raises(Problem):
        admission.admit()
    assert outbox.looks == 1
    now = 5.0
    admission.admit()
    assert outbox.looks == 2
