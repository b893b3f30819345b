"""The issuer's keys are cached, refreshed on rotation, and used through an outage of the issuer."""

import asyncio
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import msgspec
import pytest
from fastapi.testclient import TestClient

from services.http.keys import Keys, KeysUnavailableError, fetch_over_http, parse_keys
from tests.rigs.issuer import Issuer, jwk, rsa_key
from tests.services.http.apps import App

NOTE = "/api/v1/notes/n1"


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_keys_are_fetched_once() -> None:
    """Many tokens of one key cost one fetch, even concurrently."""
    issuer = Issuer()

    async def ask() -> None:
        keys = Keys(issuer.document)
        await asyncio.gather(*(keys.find("k1") for _ in range(20)))

    asyncio.run(ask())
    assert issuer.fetched == 1


def test_a_new_key_is_fetched_and_an_old_one_forgotten() -> None:
    """After a rotation tokens of the new key are accepted, and tokens of a key that was withdrawn are not."""
    app = App()
    client, old = TestClient(app.app), app.issuer.headers()
    assert client.post(NOTE, json={"text": "a"}, headers=old).status_code == 200
    app.issuer.current, app.issuer.published = "k2", ["k2"]
    keys = app.authenticator._keys
    keys._tried_at -= 10
    assert client.post(NOTE, json={"text": "a"}, headers=app.issuer.headers()).status_code == 200
    assert client.post(NOTE, json={"text": "a"}, headers=old).status_code == 401


def test_unknown_keys_ask_the_issuer_now_and_then() -> None:
    """A flood of tokens with unknown keys fetches the keys once in ten seconds."""
    issuer, clock = Issuer(), Clock()

    async def flood() -> None:
        keys = Keys(issuer.document, clock=clock)
        for number in range(100):
            clock.now = number * 0.25
            assert await keys.find(f"forged-{number}") is None
            assert await keys.find("k1") is not None

    asyncio.run(flood())
    assert issuer.fetched == 3


def test_known_keys_outlive_an_outage_of_the_issuer() -> None:
    """While the issuer is out, known keys are found however old they are, and unknown ones are unavailable."""
    issuer, clock = Issuer(), Clock()

    async def outage() -> None:
        keys = Keys(issuer.document, clock=clock)
        assert await keys.find("k1") is not None
        issuer.out = True
        for clock.now in (700.0, 90_000.0):
            assert await keys.find("k1") is not None
            await asyncio.sleep(0)
            if keys._refresh:
                await keys._refresh
            with pytest.raises(KeysUnavailableError):
                await keys.find("k2")
        issuer.out = False
        clock.now += 10
        assert await keys.find("k2") is None

    asyncio.run(outage())


def test_old_keys_are_fetched_again_without_a_wait() -> None:
    """Keys older than ten minutes are refreshed in the background, and no request waits."""
    issuer, clock = Issuer(), Clock()

    async def age() -> None:
        keys = Keys(issuer.document, clock=clock)
        await keys.find("k1")
        issuer.published = ["k2"]
        clock.now = 601.0
        assert await keys.find("k1") is not None
        assert keys._refresh is not None
        await keys._refresh
        assert await keys.find("k1") is None

    asyncio.run(age())


def test_without_any_key_a_token_is_503() -> None:
    """If no key was ever fetched, a token gets 503 with Retry-After."""
    app = App()
    app.issuer.out = True
    answer = TestClient(app.app).post(NOTE, json={"text": "a"}, headers=app.issuer.headers())
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert app.metric("tickets_auth_refused_total", reason="no-keys") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "EC"},
        {"use": "enc"},
        {"alg": "RS512"},
        {"kid": ""},
        {"n": "AQAB"},
        {"n": "!!"},
        {"e": ""},
        {"kid": 5},
        jwk("k1", rsa_key("short", 1024)),
    ],
)
def test_unfit_keys_are_passed_over(change: dict[str, object]) -> None:
    """Keys of another type or use, short keys and malformed ones are skipped; the others are trusted."""
    good = jwk("good", rsa_key("k1"))
    bad = jwk("bad", rsa_key("k2")) | change
    assert set(parse_keys(msgspec.json.encode({"keys": [bad, good]}))) == {"good"}
    with pytest.raises(ValueError, match="no RSA signature key"):
        parse_keys(msgspec.json.encode({"keys": [bad]}))


@contextmanager
def answering(status: int, body: bytes, location: str = "") -> Iterator[str]:
    """The URL of a server that always gives this answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Says nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_a_document_is_fetched_over_http() -> None:
    """The keys come from the URL."""
    with answering(200, Issuer().document()) as url, httpx.Client() as client:
        assert set(parse_keys(fetch_over_http(client, url)())) == {"k1"}


@pytest.mark.parametrize(
    ("status", "body", "location"),
    [(500, b"{}", ""), (404, b"{}", ""), (204, b"", ""), (302, b"", "/keys"), (200, b"x" * 300_000, "")],
)
def test_other_answers_are_an_outage(status: int, body: bytes, location: str) -> None:
    """Errors, redirects and documents that are too large are failures of the fetch, and no keys."""
    with answering(status, body, location) as url, httpx.Client() as client, pytest.raises(httpx.HTTPError):
        fetch_over_http(client, url)()
