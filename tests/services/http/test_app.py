"""Every error is a problem document, and no input, token or traceback leaks."""

import json
import logging
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from services.http.bodies import BodyBounds
from services.http.problems import KINDS, MEDIA_TYPE
from tests.services.http.apps import SECRET, App, client_of, fields


@pytest.fixture
def app() -> App:
    """An app of the test's own."""
    return App()


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    """A client that is an agent of acme."""
    with client_of(app) as client:
        yield client


JSON = {"Content-Type": "application/json"}
NOTE = "/api/v1/notes/n1"
DEEP = b"[" * 100_000 + b"]" * 100_000


def test_a_good_request_is_answered(client: TestClient) -> None:
    """A route gets the tenant of the token, and the response has a request id and the security headers."""
    answer = client.post(NOTE, json={"text": "hello"})
    assert answer.json() == {"tenant": "acme", "id": "n1", "text": "hello", "roles": ["agent"]}
    assert answer.headers["X-Request-Id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        (b"{", 400, None),
        (b"", 422, ["body"]),
        (b"nonsense", 400, None),
        (b"\xff\xfe", 400, None),
        (b"\xef\xbb\xbf{}", 400, None),
        (b'{"text": "a", "text": "b"}', 400, None),
        (b'{"text": "a", "count": NaN}', 400, None),
        (b'{"text": "a", "count": -Infinity}', 400, None),
        (b'{"text": "a", "count": 1e999}', 400, None),
        (b'{"text": "a", "count": ' + b"9" * 3000 + b"}", 400, None),
        (b'{"text": "a", "count": 99999999999999999999}', 200, None),
        (b'{"text": "a\\u0000b"}', 422, ["text"]),
        (b'{"text": "a\\ud83d"}', 422, ["text"]),
        (b'{"text": "a\x00b"}', 400, None),
        (b'{"text": "a\\ud83d\\ude00"}', 200, None),
        (b'{"te\\u0000xt": "a"}', 422, ["body"]),
        (b'{"text": "a", "inner": {"a": [1, {"b\\u0000": 1}]}}', 422, ["inner.a.1"]),
        (b'{"text": 1}', 422, ["text"]),
        (b'{"text": "a", "count": "1"}', 422, ["count"]),
        (b'{"text": "a", "count": true}', 422, ["count"]),
        (b'{"text": "a", "tenant_id": "globex"}', 422, ["tenant_id"]),
        (b'{"text": "a", "<script>": 1}', 422, ["?"]),
        (b'{"count": 1}', 422, ["text"]),
        (b'{"text": "a", "inner": {"<b>": ["x"]}}', 422, ["inner.?.0"]),
        (b"[]", 422, ["body"]),
        (b"null", 422, ["body"]),
        (b"5", 422, ["body"]),
    ],
)
def test_a_body_that_is_not_valid_names_the_field(
    client: TestClient, body: bytes, status: int, named: list[str] | None
) -> None:
    """A body that can't be read is 400, one that is not valid is 422 and names each field, and neither is quoted."""
    answer = client.post(NOTE, content=body, headers=JSON)
    assert answer.status_code == status
    if status == 200:
        return
    problem = answer.json()
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert problem["status"] == status
    assert problem["title"] == dict(KINDS.values())[status]
    assert problem["instance"].endswith(answer.headers["X-Request-Id"])
    assert (named is None) == ("errors" not in problem)
    if named:
        assert fields(problem) == named
    assert "globex" not in answer.text


def test_a_value_is_never_quoted(client: TestClient) -> None:
    """The problem of a wrong value does not contain it."""
    answer = client.post(NOTE, json={"text": {"secret": SECRET}, "count": SECRET, "inner": {"a": [SECRET]}})
    assert answer.status_code == 422
    assert SECRET not in answer.text


def test_nesting_is_bounded() -> None:
    """A body that nests deeper than allowed is refused without being parsed; brackets in a text don't count."""
    with client_of(App(body=BodyBounds(max_bytes=10**6))) as client:
        assert client.post(NOTE, content=DEEP, headers=JSON).status_code == 400
        assert client.post(NOTE, json={"text": "[" * 1000}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/xml"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_other_media_types_are_415(client: TestClient, headers: dict[str, str]) -> None:
    """A body that is not plain JSON in UTF-8 is refused."""
    answer = client.post(NOTE, content=b'{"text": "a"}', headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (415, MEDIA_TYPE)


def test_a_large_body_is_413(client: TestClient) -> None:
    """A body that is too large is refused, whether or not it says its length."""
    large = b'{"text": "' + b"x" * 5000 + b'"}'
    assert client.post(NOTE, content=large, headers=JSON).status_code == 413
    assert client.post(NOTE, content=iter([large]), headers=JSON).status_code == 413


def test_unknown_paths_and_methods_are_problems(client: TestClient) -> None:
    """404 and 405 are problems, and 405 lists the methods of all routes of the path."""
    missing = client.get("/api/v1/nothing")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:ticketstream:problem:not-found")
    wrong = client.delete(NOTE)
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert wrong.headers["Content-Type"] == MEDIA_TYPE


@pytest.mark.parametrize("path", ["/api/v1/session", "/health", "/api/v1/nothing", "/openapi.json"])
def test_head_is_get_without_its_body(client: TestClient, path: str) -> None:
    """HEAD has the status and the length of GET, and no body."""
    get, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_head_is_measured_under_its_route(app: App, client: TestClient) -> None:
    """A HEAD counts as one, with the route's template."""
    client.head("/api/v1/session")
    assert app.metric("tickets_http_requests_total", method="HEAD", route="/api/v1/session", status="200") == 1


@pytest.mark.parametrize("name", ["Content-Type", "Content-Encoding", "Idempotency-Key"])
def test_a_single_header_twice_is_400(client: TestClient, name: str) -> None:
    """Of a header that a request may have once, no line is chosen silently."""
    headers = [("Content-Type", "application/json")] if name != "Content-Type" else []
    twice = [*headers, (name, "application/json"), (name, "text/plain")]
    answer = client.post(NOTE, content=b'{"text": "a"}', headers=twice)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, MEDIA_TYPE)
    assert name in answer.json()["detail"]


def test_a_parameter_twice_is_400(client: TestClient) -> None:
    """Of a parameter that a query has twice, no value is chosen silently."""
    assert client.get("/api/v1/session?a=1&b=").status_code == 200
    answer = client.get("/api/v1/session?a=1&b=2&%61=")
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, MEDIA_TYPE)


@pytest.mark.parametrize(("how", "status"), [("bug", 500), ("outage", 503), ("missing", 404), ("conflict", 409)])
def test_exceptions_become_problems(
    client: TestClient, caplog: pytest.LogCaptureFixture, how: str, status: int
) -> None:
    """An exception becomes the problem that it stands for, and neither response nor log quotes its message."""
    caplog.set_level(logging.DEBUG)
    answer = client.get(f"/api/v1/fails/{how}", headers={"X-Request-Id": "request-77"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, MEDIA_TYPE)
    assert "Traceback" not in caplog.text
    assert SECRET not in answer.text + caplog.text
    assert "request-77" in caplog.text
    assert ("RuntimeError" in caplog.text) == (status == 500)
    assert answer.headers.get("Retry-After") == ("7" if how == "outage" else None)


def test_a_broken_stream_ends_without_a_traceback(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """An exception after the response has begun leaves it incomplete, and the log quotes nothing."""
    assert client.get("/api/v1/streams/breaks").text == "first\n"
    assert "RuntimeError" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("sane", ["0123abcd", "Root-1.67891233-abcdef012345678912345678"])
def test_a_sane_request_id_is_kept(client: TestClient, sane: str) -> None:
    """A client's request id is returned if it is sane."""
    assert client.get("/health", headers={"X-Request-Id": sane}).headers["X-Request-Id"] == sane


@pytest.mark.parametrize("strange", ["", "short", "x" * 65, "a b c d e f", "<script>alert</script>", "12345678\u00e9"])
def test_a_strange_request_id_is_replaced(client: TestClient, strange: str) -> None:
    """Any other request id is replaced by a new one."""
    answer = client.get("/health", headers={b"X-Request-Id": strange.encode()})
    assert len(answer.headers["X-Request-Id"]) == 32


def test_traces_are_continued(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """The access log has the trace id of a W3C traceparent header, and a new one for a malformed header."""
    caplog.set_level(logging.INFO, "ticketstream.http")
    trace = "0af7651916cd43dd8448eb211c80319c"
    client.post(NOTE, json={"text": "a"}, headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    client.post(NOTE, json={"text": "a"}, headers={"traceparent": "00-zz"})
    first, second = (record.trace_id for record in caplog.records if record.name == "ticketstream.http")  # type: ignore[attr-defined]
    assert first == trace
    assert len(second) == 32
    assert second != trace


def test_the_access_log_names_routes_not_paths(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """A line of the access log has the route's template, status, tenant and request id, and no id of a path."""
    caplog.set_level(logging.INFO, "ticketstream.http")
    client.post("/api/v1/notes/of-jane-doe?q=secret", json={"text": "a"}, headers={"X-Request-Id": "request-78"})
    client.get("/api/v1/of-jane-doe")
    line, unmatched = (record for record in caplog.records if record.name == "ticketstream.http")
    assert line.getMessage() == "POST /api/v1/notes/{note_id} 200 request-78"
    assert line.tenant_id == "acme"  # type: ignore[attr-defined]
    assert unmatched.getMessage().startswith("GET unmatched 404 ")
    assert "jane" not in caplog.text


def test_requests_are_counted(app: App, client: TestClient) -> None:
    """Metrics count requests by method, route and status; methods of attackers share one label."""
    client.post(NOTE, json={"text": "a"})
    client.request("BREW", NOTE)
    labels = {"route": "/api/v1/notes/{note_id}", "status": "200"}
    assert app.metric("tickets_http_requests_total", method="POST", **labels) == 1
    assert 'method="other"' in client.get("/metrics").text
    assert "BREW" not in client.get("/metrics").text
    assert app.metric("tickets_http_inflight") == 0


def test_probes_need_no_token(app: App) -> None:
    """/health, /ready and /metrics answer without a token, and /ready says why the service is not ready."""
    client = TestClient(app.app)
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json() == {"status": "ok"}
    assert client.get("/metrics").headers["Content-Type"].startswith("text/plain")
    app.fault = "no index"
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()["detail"]) == (503, "no index")


def test_the_openapi_document_describes_problems(client: TestClient) -> None:
    """Every protected operation documents its problems and its token, and no other media type for an error."""
    document = client.get("/openapi.json").json()
    operation = document["paths"]["/api/v1/notes/{note_id}"]["post"]
    assert operation["security"] == [{"accessToken": []}]
    assert {"400", "401", "403", "413", "415", "422", "429", "500", "503"} <= set(operation["responses"])
    assert set(operation["responses"]["422"]["content"]) == {MEDIA_TYPE}
    assert "HTTPValidationError" not in json.dumps(document)
    assert set(document["components"]["schemas"]["ProblemBody"]["required"]) >= {"type", "title", "status", "detail"}
