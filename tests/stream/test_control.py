"""The control API of a worker, over a socket."""

import json
from collections.abc import Callable
from wsgiref.types import WSGIApplication

import pytest

from core.errors import FatalError, TransientError
from core.records import SearchHit
from runtime.control import SearchRequest, WorkerStatus
from stream.control import control_app
from tests.runtime.test_http import ask, serving

HIT = SearchHit("acme", "1", 3, 0.9, "passage", {"status": "open"})
STATUS = WorkerStatus(model="m", points=3, tombstones=1, inflight=0, freshness_s=None, outage=None)
QUESTION = {"text": "why", "query": {"tenant_id": "acme"}}


def _control(search: Callable[[SearchRequest], list[SearchHit]] = lambda _request: [HIT]) -> WSGIApplication:
    return control_app(token="right", search=search, status=lambda: STATUS)


def test_a_search_with_the_token_returns_the_hits() -> None:
    """A request that carries the token is answered with the complete hits."""
    with serving(_control()) as url:
        status, body = ask(f"{url}/search", token="right", body=QUESTION)
    assert status == 200
    assert json.loads(body)[0]["ticket_id"] == "1"


@pytest.mark.parametrize("token", [None, "wrong", "rightright"])
@pytest.mark.parametrize("path", ["/search", "/status"])
def test_a_request_without_the_token_is_refused(token: str | None, path: str) -> None:
    """Another user of the host gets 401 for every path, and the index is not searched."""

    def never(_request: SearchRequest) -> list[SearchHit]:
        pytest.fail("searched")

    with serving(_control(never)) as url:
        assert ask(url + path, token=token, body=QUESTION if path == "/search" else None)[0] == 401


def test_a_malformed_request_is_a_4xx() -> None:
    """The answer is 400 for a body that is not a search request, and 404 for another path."""
    with serving(_control()) as url:
        assert ask(f"{url}/search", token="right", body=b"{]")[0] == 400
        assert ask(f"{url}/search", token="right", body={"text": "a"})[0] == 400
        assert ask(f"{url}/nothing", token="right")[0] == 404


def test_a_body_that_is_too_large_is_not_read() -> None:
    """A request of more than a million bytes is answered with 413 before its body is read."""
    answers: list[str] = []
    request = {
        "HTTP_AUTHORIZATION": "Bearer right",
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/search",
        "CONTENT_LENGTH": "1000001",
    }

    def start(status: str, _headers: object, _error: object = None, /) -> Callable[[bytes], object]:
        answers.append(status)
        return lambda _body: None

    list(_control()(request, start))
    assert answers == ["413 Content Too Large"]


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (TransientError("index out"), (503, '{"error":"index out"}')),
        (FatalError("the index is damaged"), (500, '{"error":"the index is damaged"}')),
        (RuntimeError("the text of a ticket"), (500, '{"error":"RuntimeError in the worker"}')),
    ],
)
def test_an_error_of_the_index_is_a_5xx_with_one_line(
    error: Exception, answer: tuple[int, str], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """An outage is a 503. Any other error is a 500 that is logged, quotes no ticket and prints no traceback."""

    def fail(_request: SearchRequest) -> list[SearchHit]:
        raise error

    with serving(_control(fail)) as url:
        assert ask(f"{url}/search", token="right", body=QUESTION) == answer
    assert [r.levelname for r in caplog.records] == (["ERROR"] if answer[0] == 500 else [])
    assert "the text of" not in caplog.text
    assert "Traceback" not in capfd.readouterr().err
