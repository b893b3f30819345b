"""Rate limits of addresses, users and tenants, and the client address of a request."""

from contextlib import ExitStack
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connectors.cache.memory import MemoryLimiter
from core.service_settings import CacheSettings, LimitSettings
from runtime.cache import open_cache_and_limiter
from runtime.telemetry import Telemetry
from services.http.limits import Throttle, client_address
from tests.rigs.redis_server import start_valkey
from tests.services.http.apps import App

NOTE = "/api/v1/notes/n1"


def limited(**settings: Any) -> App:
    """An app with these limits; the others are large."""
    large = {"user_requests": 100, "tenant_requests": 100, "address_requests": 100}
    found = LimitSettings(**large | settings)
    return App(throttle=Throttle(MemoryLimiter(window_s=found.window_s, clock=lambda: 0.0), found))


def statuses(app: App, tokens: list[dict[str, str]]) -> list[int]:
    """The statuses of a request for each of these headers."""
    client = TestClient(app.app)
    return [client.post(NOTE, json={"text": "a"}, headers=headers).status_code for headers in tokens]


def test_a_user_is_limited_alone() -> None:
    """A user beyond the limit gets 429; other users of the tenant and namesakes at other tenants don't."""
    app = limited(user_requests=2)
    jane, joe = (app.issuer.headers("acme", user_id=name) for name in ("jane", "joe"))
    other = app.issuer.headers("globex", user_id="jane")
    assert statuses(app, [jane, jane, jane, joe, other]) == [200, 200, 429, 200, 200]
    assert app.metric("tickets_http_limited_total", limit="user") == 1


def test_a_tenant_is_limited_alone() -> None:
    """All users of a tenant share its limit, and refused requests of a user don't use it up."""
    app = limited(tenant_requests=3, user_requests=2)
    jane, joe = (app.issuer.headers("acme", user_id=name) for name in ("jane", "joe"))
    other = app.issuer.headers("globex")
    assert statuses(app, [jane, jane, jane, jane, joe, joe, other]) == [200, 200, 429, 429, 200, 429, 200]
    assert app.metric("tickets_http_limited_total", limit="tenant") == 1


def test_an_address_is_limited_before_its_token_is_checked() -> None:
    """Requests with bad tokens count for their address, so guessing tokens is limited."""
    app = limited(address_requests=3)
    bad = {"Authorization": "Bearer a.b.c"}
    assert statuses(app, [bad, bad, bad, bad, app.issuer.headers()]) == [401, 401, 401, 429, 429]


def test_a_refusal_says_when_to_come_back() -> None:
    """A 429 has Retry-After and the RateLimit headers, and earlier answers have the remaining number."""
    app = limited(user_requests=1)
    client, headers = TestClient(app.app), app.issuer.headers()
    first = client.post(NOTE, json={"text": "a"}, headers=headers)
    assert first.headers["RateLimit-Policy"] == '"user";q=1;w=300'
    assert first.headers["RateLimit"] == '"user";r=0;t=330'
    second = client.post(NOTE, json={"text": "a"}, headers=headers)
    assert (second.status_code, second.headers["Retry-After"]) == (429, "330")
    assert second.json()["type"] == "urn:ticketstream:problem:too-many-requests"
    assert second.headers["RateLimit"] == '"user";r=0;t=330'


def test_probes_are_not_limited() -> None:
    """/health and /ready are answered however often they are asked."""
    app = limited(address_requests=1)
    client = TestClient(app.app)
    assert {client.get(path).status_code for path in ("/health", "/ready") * 5} == {200}


def test_processes_share_their_counts_on_a_server() -> None:
    """Two apps on one server share a user's limit."""
    with start_valkey() as running, ExitStack() as stack:
        settings, apps = LimitSettings(user_requests=3), list[App]()
        for _ in range(2):
            cache = running.settings
            _, limiter = open_cache_and_limiter(cache, stack, window_s=settings.window_s, telemetry=Telemetry())
            apps.append(App(throttle=Throttle(limiter, settings)))
        found = [statuses(app, [app.issuer.headers()])[0] for app in apps * 3]
        assert found == [200, 200, 200, 429, 429, 429]


def test_an_outage_of_the_server_fails_no_request() -> None:
    """Without the server, requests are answered and this process counts alone."""
    with ExitStack() as stack:
        settings, telemetry = LimitSettings(user_requests=2), Telemetry()
        cache = CacheSettings(url="redis://127.0.0.1:1")
        _, limiter = open_cache_and_limiter(cache, stack, window_s=settings.window_s, telemetry=telemetry)
        app = App(throttle=Throttle(limiter, settings))
        assert statuses(app, [app.issuer.headers()] * 3) == [200, 200, 429]
        assert telemetry.registry.get_sample_value("tickets_circuit_state", {"dependency": "cache"}) == 2


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, [], "10.0.0.1"),
        (0, ["1.2.3.4"], "10.0.0.1"),
        (1, [], "10.0.0.1"),
        (1, ["1.2.3.4"], "1.2.3.4"),
        (1, ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        (1, ["6.6.6.6", "1.2.3.4"], "1.2.3.4"),
        (2, ["6.6.6.6, 1.2.3.4, 10.0.0.9"], "1.2.3.4"),
        (2, ["1.2.3.4"], "10.0.0.1"),
        (1, ["1.2.3.4:5678"], "1.2.3.4"),
        (1, ["[2001:db8::1]:80"], "2001:db8::"),
        (1, ["2001:db8:0:0:1:2:3:4"], "2001:db8::"),
        (1, ["2001:db8:0:1:1:2:3:4"], "2001:db8:0:1::"),
        (1, ["::ffff:1.2.3.4"], "1.2.3.4"),
        (1, ["fe80::1%eth0"], "fe80::"),
        (1, ["unknown"], "10.0.0.1"),
        (1, ["1.2.3.4, "], "10.0.0.1"),
        (1, ["x" * 5000], "10.0.0.1"),
    ],
)
def test_the_address_is_what_the_outermost_trusted_proxy_saw(proxies: int, forwarded: list[str], address: str) -> None:
    """Entries of X-Forwarded-For count from the right; what the client wrote itself is ignored."""
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    scope = {"type": "http", "client": ("10.0.0.1", 5), "headers": headers}
    assert client_address(scope, trusted_proxies=proxies) == address


def test_a_request_without_a_peer_has_an_address() -> None:
    """Requests whose peer is unknown share one count."""
    assert client_address({"type": "http", "client": None, "headers": []}, trusted_proxies=0) == "unknown"
