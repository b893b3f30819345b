"""The ports of a worker, over a socket."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter

from core.errors import ConfigError, TransientError
from core.records import SearchHit
from runtime.control import SearchRequest, WorkerStatus
from runtime.health import health_app
from runtime.http import App, HttpServer
from stream.control import control_app

HIT = SearchHit("acme", "1", 3, 0.9, "passage", {"status": "open"})
STATUS = WorkerStatus(model="m", points=3, tombstones=1, inflight=0, freshness_s=None, outage=None)
ASK = {"text": "why", "query": {"tenant_id": "acme"}}


@contextmanager
def _serving(app: App) -> Iterator[str]:
    server = HttpServer(app, host="127.0.0.1", port=0, setting="TEST")
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.close()


def _get(url: str, *, token: str | None = None, body: Any = None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data, headers=headers), timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def _control(search: Any = lambda _request: [HIT]) -> App:
    return control_app(token="right", search=search, status=lambda: STATUS)


def test_healthz_and_readyz_say_why_not() -> None:
    """200 when fine, 503 with the reason when not, each probe for itself."""
    app = health_app(registry=CollectorRegistry(), alive=lambda: None, ready=lambda: "not joined yet")
    with _serving(app) as url:
        assert _get(f"{url}/health") == (200, '{"status":"ok"}')
        assert _get(f"{url}/ready") == (503, '{"status":"failing","reason":"not joined yet"}')
        assert _get(f"{url}/other")[0] == 404


def test_metrics_are_prometheus_text() -> None:
    """A counter of the registry is in the exposition."""
    registry = CollectorRegistry()
    Counter("tickets_test", "Help.", registry=registry).inc(3)
    with _serving(health_app(registry=registry, alive=lambda: None, ready=lambda: None)) as url:
        assert "tickets_test_total 3.0" in _get(f"{url}/metrics")[1]


def test_a_search_is_answered_to_the_holder_of_the_token() -> None:
    """The hits come back whole."""
    with _serving(_control()) as url:
        status, body = _get(f"{url}/search", token="right", body=ASK)
    assert status == 200
    assert json.loads(body)[0]["ticket_id"] == "1"


@pytest.mark.parametrize("token", [None, "wrong", "rightright"])
@pytest.mark.parametrize("path", ["/search", "/status"])
def test_without_the_token_nothing_is_told(token: str | None, path: str) -> None:
    """Another user of the host learns nothing, whatever is asked."""

    def never(_request: SearchRequest) -> list[SearchHit]:
        pytest.fail("searched")

    with _serving(_control(never)) as url:
        assert _get(url + path, token=token, body=ASK if path == "/search" else None)[0] == 401


def test_a_malformed_question_is_the_askers_mistake() -> None:
    """400 for a body that is no request, 404 for another path, 413 for one too large."""
    with _serving(_control()) as url:
        assert _get(f"{url}/search", token="right", body=b"{]")[0] == 400
        assert _get(f"{url}/search", token="right", body={"text": "a"})[0] == 400
        assert _get(f"{url}/nothing", token="right")[0] == 404


def test_an_outage_of_the_index_is_a_503() -> None:
    """The asker may come again."""

    def out(_request: SearchRequest) -> list[SearchHit]:
        raise TransientError("index out")

    with _serving(_control(out)) as url:
        assert _get(f"{url}/search", token="right", body=ASK) == (503, '{"error":"index out"}')


def test_a_taken_port_is_named_with_its_setting() -> None:
    """One sentence: which variable, which address, what to do."""
    with _serving(_control()) as url:
        port = int(url.rsplit(":", 1)[1])
        with pytest.raises(ConfigError, match=f"TEST: can't listen on 127.0.0.1:{port} .* choose another port"):
            HttpServer(_control(), host="127.0.0.1", port=port, setting="TEST")
