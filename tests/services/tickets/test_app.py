"""The operations of the ticket API, their roles, and their refusals."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.contract import TicketEvent, UpsertEvent
from core.settings import ContractSettings
from services.http.problems import unavailable
from tests.services.tickets.apps import NOW_S, PATH, Api, fields_of, open_api


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with open_api(tmp_path_factory.mktemp("api"), max_messages=3, max_tags=2, max_record_bytes=5_000) as opened:
        yield opened


def test_a_ticket_lives_and_dies(api: Api) -> None:
    """Each operation returns the next version and puts an event with the whole ticket into the outbox."""
    first = api.send("POST", body={"subject": "Refund", "customer_id": "C-7", "attributes": {"n": 1, "x": 1.0}})
    assert first.status_code == 201
    ticket = first.json()
    path = f"/{ticket['ticket_id']}"
    assert first.headers["location"].endswith(path)
    assert first.headers["etag"] == '"1"'
    assert ticket["created_at"] == ticket["updated_at"] == "2026-01-05T08:00:00Z"
    assert ticket["attributes"] == {"n": 1, "x": 1.0}
    assert "tenant_id" not in ticket

    patched = api.send("PATCH", path, {"priority": "high", "customer_id": None}, headers={"If-Match": '"1"'})
    assert (patched.status_code, patched.headers["etag"]) == (200, '"2"')
    assert (patched.json()["priority"], patched.json()["customer_id"]) == ("high", None)
    assert patched.json()["subject"] == "Refund"

    commented = api.send("POST", f"{path}/comments", {"body": "Looking into it.", "public": False})
    assert [(m["author"], m["public"]) for m in commented.json()["messages"]] == [("agent", False)]
    closed = api.send("POST", f"{path}/close", {"resolution": "Sent."})
    assert (closed.json()["status"], closed.json()["messages"][-1]["body"]) == ("closed", "Sent.")
    reopened = api.send("PATCH", path, {"status": "open"})
    assert (reopened.json()["status"], reopened.json()["version"]) == ("open", 5)
    assert api.send("GET", path).json() == reopened.json()

    assert api.send("DELETE", path, headers={"If-Match": '"5"'}).status_code == 204
    assert api.send("GET", path).status_code == 404
    for method, rest, body in (("PATCH", "", {"status": "x"}), ("POST", "/close", None), ("DELETE", "", None)):
        assert api.send(method, path + rest, body).status_code == 404
    again = api.send("POST", body={"ticket_id": ticket["ticket_id"]})
    assert (again.status_code, fields_of(again)) == (409, ["ticket_id"])

    events = [msgspec.json.decode(event.value, type=TicketEvent) for event in api.outbox()]
    assert [event.version for event in events] == [1, 2, 3, 4, 5, 6]
    assert isinstance(events[4], UpsertEvent)
    assert [message.body for message in events[4].messages] == ["Looking into it.", "Sent."]
    times = [event.updated_at for event in events]
    assert times == sorted(set(times))  # versions grow although the clock stands still


def test_a_ticket_is_read_once(api: Api) -> None:
    """A caller that already has the version gets 304 without a body."""
    path = f"/{api.create()['ticket_id']}"
    for tags in ('"1"', 'W/"1"', '"7", "1"', "*"):
        response = api.send("GET", path, headers={"If-None-Match": tags})
        assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", '"1"')
    assert api.send("GET", path, headers={"If-None-Match": '"2"'}).status_code == 200


def test_a_change_names_the_version_that_it_changes(api: Api) -> None:
    """A change needs If-Match; a stale one changes nothing and gets the current version."""
    path = f"/{api.create()['ticket_id']}"
    changes: list[tuple[str, str, object]] = [
        ("PATCH", "", {"status": "x"}),
        ("POST", "/comments", {"body": "x"}),
        ("POST", "/close", {}),
        ("DELETE", "", None),
    ]
    for method, rest, body in changes:
        missing = api.send(method, path + rest, body, headers={"If-Match": ""})
        assert (missing.status_code, fields_of(missing)) == (428, ["If-Match"])
        for stale in ('"0"', '"2"', 'W/"1"', '"x"'):
            refused = api.send(method, path + rest, body, headers={"If-Match": stale})
            assert (refused.status_code, refused.headers["etag"]) == (412, '"1"')
        for malformed in ("1", '"1', '"1" "2"', "", "x" * 2_000):
            response = api.send(method, path + rest, body, headers={"If-Match": malformed or " "})
            assert response.status_code in (400, 428)
    assert api.send("GET", path).headers["etag"] == '"1"'
    assert api.send("PATCH", path, {"status": "x"}, headers={"If-Match": '"7", "1"'}).status_code == 200


def test_all_lines_of_a_condition_count(api: Api) -> None:
    """If-Match and If-None-Match on several lines are one list; `*` beside a tag is malformed."""
    path = f"{PATH}/{api.create()['ticket_id']}"
    caller = ("Authorization", "Bearer acme/jane/operator")

    def status(method: str, name: str, *lines: str) -> int:
        headers = [caller, *((name, line) for line in lines)]
        return api.client.request(method, path, headers=headers, json={"status": "x"}).status_code

    assert status("PATCH", "If-Match", "*", '"7"') == 400
    assert status("PATCH", "If-Match", '"7"', '"8"') == 412
    assert status("GET", "If-None-Match", '"7"', '"1"') == 304
    assert status("PATCH", "If-Match", '"7"', '"1"') == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"subjekt": "x"}, "subjekt"),
        ({"subject": 1}, "subject"),
        ({"subject": None}, "subject"),
        ({"status": ""}, "status"),
        ({"status": "x" * 65}, "status"),
        ({"customer_id": "x" * 129}, "customer_id"),
        ({"ticket_id": "../x"}, "ticket_id"),
        ({"ticket_id": "x" * 129}, "ticket_id"),
        ({"tags": ["a", ""]}, "tags.1"),
        ({"tags": ["a", "b", "c"]}, "tags"),
        ({"tags": "a"}, "tags"),
        ({"attributes": {"n": 2**63}}, "attributes.n"),
        ({"attributes": {"n": [1]}}, "attributes.n"),
        ({"body": "nul\x00"}, "body"),
        ({"version": 7}, "version"),
        ({"tenant_id": "other"}, "tenant_id"),
        ([], "body"),
    ],
)
def test_a_bad_ticket_is_refused_by_field(api: Api, body: object, field: str) -> None:
    """A field that breaks the contract is named, and nothing is written."""
    before = len(api.outbox())
    response = api.send("POST", body=body)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert any(name == field or name.startswith(f"{field}.") for name in fields_of(response)), response.text
    assert len(api.outbox()) == before


def test_half_of_a_surrogate_pair_is_refused(api: Api) -> None:
    """A lone surrogate is refused with its field's name."""
    response = api.client.post(
        "/api/v1/tickets",
        content=b'{"subject": "\\ud83d"}',
        headers={"Authorization": "Bearer acme/jane/agent", "Content-Type": "application/json"},
    )
    assert (response.status_code, fields_of(response)) == (422, ["subject"])


def test_a_ticket_stays_within_the_limits_of_the_contract(api: Api) -> None:
    """One message, tag or byte too many is refused, on creation and on a later change."""
    path = f"/{api.create()['ticket_id']}"
    for _ in range(3):
        assert api.send("POST", f"{path}/comments", {"body": "x"}).status_code == 200
    for rest, body in (("/comments", {"body": "x"}), ("/close", {"resolution": "x"})):
        full = api.send("POST", path + rest, body)
        assert (full.status_code, fields_of(full)) == (422, ["messages"])
    tags = api.send("PATCH", path, {"tags": ["a", "b", "c"]})
    assert (tags.status_code, fields_of(tags)) == (422, ["tags"])
    large = api.send("PATCH", path, {"body": "x" * 6_000})
    assert (large.status_code, fields_of(large)) == (413, ["body"])
    assert api.send("GET", path).json()["version"] == 4
    assert api.send("POST", f"{path}/close").status_code == 200


def test_an_empty_patch_is_refused(api: Api) -> None:
    """A patch without a field is refused."""
    path = f"/{api.create()['ticket_id']}"
    assert api.send("PATCH", path, {}).status_code == 422
    assert api.send("PATCH", path, {"subject": None}).status_code == 422


ALLOWED = {
    "agent": {"create", "get", "list", "update", "comment", "close"},
    "operator": {"create", "get", "list", "update", "comment", "close", "delete"},
    "service": {"create", "get", "update", "comment"},
}
OPERATIONS: dict[str, tuple[str, str, Any]] = {
    "create": ("POST", "", {}),
    "get": ("GET", "/{}", None),
    "list": ("GET", "", None),
    "update": ("PATCH", "/{}", {"status": "x"}),
    "comment": ("POST", "/{}/comments", {"body": "x"}),
    "close": ("POST", "/{}/close", {}),
    "delete": ("DELETE", "/{}", None),
}


@pytest.mark.parametrize("role", ALLOWED)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_role_may_do_what_it_may_and_nothing_else(api: Api, role: str, operation: str) -> None:
    """Each operation answers 403 to the other roles, and changes nothing for them."""
    method, path, body = OPERATIONS[operation]
    ticket = api.create()["ticket_id"]
    before = len(api.outbox())
    response = api.send(method, path.format(ticket), body, role=role)
    if operation in ALLOWED[role]:
        assert response.status_code < 300
    else:
        assert response.status_code == 403
        assert len(api.outbox()) == before


def test_a_service_posts_what_customers_write(api: Api) -> None:
    """A comment without an author is the customer's if a service sends it; any caller may name the author."""
    path = f"/{api.create()['ticket_id']}/comments"
    api.send("POST", path, {"body": "x"}, role="service")
    api.send("POST", path, {"body": "x"}, role="agent")
    last = api.send("POST", path, {"body": "x", "author": "system"}, role="agent").json()
    assert [message["author"] for message in last["messages"]] == ["customer", "agent", "system"]


def test_a_list_is_paged_with_cursors(api: Api) -> None:
    """The pages of a list have every ticket once; a cursor that was made up is refused."""
    made = [api.create(status="s1", customer_id=f"c{number % 2}")["ticket_id"] for number in range(5)]
    found, cursor = [], None
    while True:
        page = api.send("GET", params={"status": "s1", "limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += [ticket["ticket_id"] for ticket in page["tickets"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(found) == sorted(made)
    customers = api.send("GET", params={"customer_id": "c1", "status": "s1"}).json()["tickets"]
    assert {ticket["customer_id"] for ticket in customers} == {"c1"}
    assert len(customers) == 2
    for bad in ("x", "\x7f", "bnVsbA", "W10", "WzEsMV0", "x" * 2_000):
        response = api.send("GET", params={"cursor": bad})
        assert (response.status_code, fields_of(response)) == (422, ["cursor"])


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 101}, {"limit": -1}, {"limit": "x"}, {"status": ""}, {"customer": "C-7"}]
)
def test_a_list_is_bounded(api: Api, query: dict[str, Any]) -> None:
    """A limit beyond the bounds, an empty filter and an unknown one are refused by their names."""
    response = api.send("GET", params=query)
    assert (response.status_code, fields_of(response)) == (422, list(query))


def test_a_repeated_request_has_one_effect(api: Api) -> None:
    """The same request with its key gets the same response, even after later changes, for 24 hours."""
    key = {"Idempotency-Key": "k-1"}
    first = api.send("POST", body={"subject": "x"}, headers=key)
    path = f"/{first.json()['ticket_id']}"
    comment = [api.send("POST", f"{path}/comments", {"body": "y"}, headers={**key, "Idempotency-Key": "k-2"})]
    api.send("PATCH", path, {"status": "z"})
    comment.append(
        api.send("POST", f"{path}/comments", {"body": "y"}, headers={"Idempotency-Key": "k-2", "If-Match": '"1"'})
    )
    again = api.send("POST", body={"subject": "x"}, headers=key)
    for one, other in ((first, again), comment):
        assert (one.status_code, one.content) == (other.status_code, other.content)
        assert one.headers["etag"] == other.headers["etag"]
    assert first.headers["location"] == again.headers["location"]
    assert api.send("GET", path).json()["version"] == 3
    deleted = [api.send("DELETE", path, headers={"Idempotency-Key": "k-3"}) for _ in range(2)]
    assert [response.status_code for response in deleted] == [204, 204]
    api.now_s = NOW_S + 25 * 3600
    assert api.send("POST", body={"subject": "x"}, headers=key).json()["ticket_id"] != first.json()["ticket_id"]


def test_a_key_belongs_to_one_request_of_one_user(api: Api) -> None:
    """Another request with the key is refused; another user's key is another key; a failed request uses up none."""
    key = {"Idempotency-Key": "k-9"}
    assert api.send("POST", "/T-none/close", {}, headers=key).status_code == 404
    first = api.send("POST", body={"subject": "x"}, headers=key).json()
    for method, path, body in (("POST", "", {"subject": "y"}), ("PATCH", f"/{first['ticket_id']}", {"subject": "x"})):
        reused = api.send(method, path, body, headers=key)
        assert (reused.status_code, fields_of(reused)) == (422, ["Idempotency-Key"])
    for other in ({"user": "joe"}, {"tenant": "other"}):
        assert api.send("POST", body={"subject": "y"}, headers=key, **other).status_code == 201
    for bad in ("x" * 256, "a b", "\x7f"):
        malformed = api.send("POST", body={}, headers={"Idempotency-Key": bad})
        assert (malformed.status_code, fields_of(malformed)) == (400, ["Idempotency-Key"])


def test_a_full_outbox_refuses_changes_and_answers_the_rest(api: Api) -> None:
    """If the outbox is full, changes get 503, but reads and repeated requests are answered."""
    key = {"Idempotency-Key": "k-full"}
    path = f"/{api.send('POST', body={}, headers=key).json()['ticket_id']}"
    api.full = unavailable("full", retry_after_s=5)
    try:
        refused = api.send("PATCH", path, {"status": "x"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert api.send("GET", path).json()["version"] == 1
        assert api.send("POST", body={}, headers=key).status_code == 201
    finally:
        api.full = None


def test_the_limits_are_those_of_the_contract(tmp_path: Path) -> None:
    """With the default settings a ticket may be as large as an event, and comments can fill it up."""
    with open_api(tmp_path) as api:
        ticket = api.create(body="é" * 499_000)
        assert api.send("GET", f"/{ticket['ticket_id']}").status_code == 200
        assert api.send("POST", f"/{ticket['ticket_id']}/comments", {"body": "é" * 1_000}).status_code == 413
        assert len(api.outbox()[0].value) < ContractSettings().max_record_bytes
