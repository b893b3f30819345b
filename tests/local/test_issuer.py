"""The local issuer: the services accept its tokens, and only its secret gets one."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from core.service_settings import AuthSettings
from local.issuer import LocalIssuer, open_issuer
from runtime.telemetry import Telemetry
from services.http.tokens import open_authenticator
from tests.rigs.waiting import PATIENCE_S

WANTED = {"tenant_id": "acme", "user_id": "u-1", "roles": ["agent", "operator"]}


@pytest.fixture(scope="module")
def issuer() -> Iterator[LocalIssuer]:
    """A running issuer."""
    with ExitStack() as stack:
        yield open_issuer(stack)


def ask(issuer: LocalIssuer, body: object, **headers: str) -> httpx.Response:
    """Request a token with the secret; `headers` replace the request's headers."""
    given = {"Authorization": f"Bearer {issuer.secret}"} | headers
    return httpx.post(f"{issuer.url}/token", json=body, headers=given, timeout=PATIENCE_S)


def test_a_service_accepts_its_tokens(issuer: LocalIssuer) -> None:
    """An authenticator with the issuer's settings accepts the token and returns its caller."""
    answer = ask(issuer, WANTED).json()
    assert answer["expires_in"] == 3600
    with ExitStack() as stack:
        settings = AuthSettings(issuer=issuer.url, client_ids="local")
        authenticator = open_authenticator(settings, stack, telemetry=Telemetry())
        caller = asyncio.run(authenticator.authenticate(answer["access_token"]))
    assert (caller.tenant_id, caller.user_id, caller.roles) == ("acme", "u-1", frozenset({"agent", "operator"}))
    assert caller.sign_in is not None, "it can be signed out"


def test_no_proxy_gives_the_keys(issuer: LocalIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys of an issuer on loopback are fetched from it, whatever proxy the environment names."""
    token = issuer.token("acme", "u-1", ["agent"])
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with ExitStack() as stack:
        settings = AuthSettings(issuer=issuer.url, client_ids="local")
        authenticator = open_authenticator(settings, stack, telemetry=Telemetry())
        assert asyncio.run(authenticator.authenticate(token)).tenant_id == "acme"


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic {secret}", "Bearer {secret} ", "Bearer \u00e9"])
def test_without_the_secret_there_is_no_token(issuer: LocalIssuer, given: str) -> None:
    """A request with any other Authorization header gets 401."""
    headers = {b"Authorization": given.replace("{secret}", issuer.secret).rstrip().encode()}
    if given.endswith(" "):
        headers = {b"Authorization": f"Bearer {issuer.secret}x".encode()}
    answer = httpx.post(f"{issuer.url}/token", json=WANTED, headers=headers, timeout=PATIENCE_S)
    assert answer.status_code == 401
    assert "access_token" not in answer.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"tenant_id": "../x"},
        {"tenant_id": "acme\n"},
        {"user_id": ""},
        {"roles": []},
        {"roles": ["admin"]},
        {"roles": "agent"},
        {"admin": True},
    ],
)
def test_wrong_requests_are_refused(issuer: LocalIssuer, wrong: dict[str, object]) -> None:
    """An invalid tenant id, unknown roles and unknown fields get 400."""
    assert ask(issuer, WANTED | wrong).status_code == 400


@pytest.mark.parametrize("body", [b"", b"\xff", b'{"tenant_id": "\xff"}', b"[" * 4_000])
def test_a_body_that_cannot_be_read_is_refused(issuer: LocalIssuer, body: bytes) -> None:
    """A body that is not JSON in UTF-8 gets 400."""
    headers = {"Authorization": f"Bearer {issuer.secret}"}
    assert httpx.post(f"{issuer.url}/token", content=body, headers=headers, timeout=PATIENCE_S).status_code == 400


def test_pages_of_this_machine_may_ask(issuer: LocalIssuer) -> None:
    """CORS allows pages on loopback, but no other page or name of this machine."""
    local, foreign = "http://127.0.0.1:8082", "http://evil.test"
    allowed = "Access-Control-Allow-Origin"
    assert ask(issuer, WANTED, Origin=local).headers[allowed] == local
    assert allowed not in ask(issuer, WANTED, Origin=foreign).headers
    assert allowed not in ask(issuer, WANTED, Origin="http://localhost.evil.test").headers
    assert ask(issuer, WANTED, Host="evil.test").status_code == 403
    assert httpx.options(f"{issuer.url}/token", headers={"Origin": local}, timeout=PATIENCE_S).headers[allowed] == local
    assert httpx.get(f"{issuer.url}/other", timeout=PATIENCE_S).status_code == 404


def test_it_runs_alone() -> None:
    """`python -m local.issuer` prints the settings and the secret, and SIGTERM ends it with 0."""
    process = subprocess.Popen([sys.executable, "-m", "local.issuer"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = dict(process.stdout.readline().strip().split("=", 1) for _ in range(3))
    assert lines["TICKETS_AUTH__CLIENT_IDS"] == "local"
    headers = {"Authorization": f"Bearer {lines['SECRET']}"}
    url = f"{lines['TICKETS_AUTH__ISSUER']}/token"
    answer = httpx.post(url, json=WANTED, headers=headers, timeout=PATIENCE_S)
    assert answer.status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0
    process.stdout.close()
