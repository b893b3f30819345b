"""The attack grid: every token but a valid one is refused, with the right status."""

import asyncio
import hmac
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.testclient import TestClient

from core.errors import ConfigError
from core.service_settings import AuthSettings
from runtime.telemetry import Telemetry
from services.http.tokens import SERVICE_SCOPE, open_authenticator
from tests.rigs.issuer import CLIENT, ISSUER, Issuer, encode, jwk, rsa_key
from tests.services.http.apps import App

NOTE: Final = "/api/v1/notes/n1"


def _encoded(part: object) -> str:
    return encode(msgspec.json.encode(part))


def _parts(issuer: Issuer) -> list[str]:
    return issuer.token().split(".")


def _unsigned(issuer: Issuer) -> str:
    return f"{_encoded({'alg': 'none', 'kid': 'k1'})}.{_parts(issuer)[1]}."


def _unsigned_with_a_signature(issuer: Issuer) -> str:
    return f"{_encoded({'alg': 'none', 'kid': 'k1'})}.{_parts(issuer)[1]}.{_parts(issuer)[2]}"


def _hmac_with_the_public_key(issuer: Issuer) -> str:
    """A token signed by HS256 with the public key as secret."""
    pem = rsa_key("k1").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{_encoded({'alg': 'HS256', 'kid': 'k1'})}.{_parts(issuer)[1]}"
    return f"{signed}.{encode(hmac.digest(pem, signed.encode(), 'sha256'))}"


def _other_claims_under_a_signature(issuer: Issuer) -> str:
    header, _, signature = _parts(issuer)
    return f"{header}.{issuer.token('globex', 'operator').split('.')[1]}.{signature}"


def _now(seconds: float) -> int:
    return int(time.time() + seconds)


def _claims(**claims: object) -> Callable[[Issuer], str]:
    return lambda issuer: issuer.token(claims={name.replace("__", ":"): value for name, value in claims.items()})


def _times(**seconds: float) -> Callable[[Issuer], str]:
    """The time claims, `seconds` from now."""
    return lambda issuer: issuer.token(claims={name: _now(later) for name, later in seconds.items()})


def _headers(**headers: object) -> Callable[[Issuer], str]:
    return lambda issuer: issuer.token(headers=headers)


#: Attack, reason as metrics have it, and status.
ATTACKS: Final[dict[str, tuple[Callable[[Issuer], str], str, int]]] = {
    "no token at all": (lambda _: "x", "malformed", 401),
    "two parts": (lambda issuer: ".".join(_parts(issuer)[:2]), "malformed", 401),
    "a header that is no JSON": (lambda issuer: f"bm8.{'.'.join(_parts(issuer)[1:])}", "malformed", 401),
    "a header that is a list": (lambda issuer: f"W10.{'.'.join(_parts(issuer)[1:])}", "malformed", 401),
    "five parts": (lambda issuer: f"{issuer.token()}.x.y", "malformed", 401),
    "alg none": (_unsigned, "malformed", 401),
    "alg none with a signature": (_unsigned_with_a_signature, "algorithm", 401),
    "HS256 with the public key": (_hmac_with_the_public_key, "algorithm", 401),
    "RS512": (_headers(alg="RS512"), "algorithm", 401),
    "forged signature": (lambda issuer: issuer.token(key="forger"), "signature", 401),
    "a valid signature under other claims": (_other_claims_under_a_signature, "signature", 401),
    "unknown kid": (_headers(kid="k9"), "key", 401),
    "no kid": (_headers(kid=None), "malformed", 401),
    "kid of another type": (
        lambda issuer: f"{_encoded({'alg': 'RS256', 'kid': ['k1']})}.{'.'.join(_parts(issuer)[1:])}",
        "malformed",
        401,
    ),
    "jku": (_headers(jku="https://evil.test/jwks.json"), "header", 401),
    "x5u": (_headers(x5u="https://evil.test/cert.pem"), "header", 401),
    "x5c": (_headers(x5c=["MIIB"]), "header", 401),
    "jwk": (lambda issuer: issuer.token(key="forger", headers={"jwk": jwk("k1", rsa_key("forger"))}), "header", 401),
    "crit": (_headers(crit=["exp"]), "header", 401),
    "detached payload": (_headers(b64=True), "header", 401),
    "expired": (_times(exp=-31), "expired", 401),
    "no expiry": (_claims(exp=None), "claims", 401),
    "an expiry that is text": (_claims(exp="never"), "claims", 401),
    "not yet valid": (_times(nbf=100), "not-yet", 401),
    "issued in the future": (_times(iat=100), "not-yet", 401),
    "issued before all time": (_claims(iat=-1e300), "claims", 401),
    "other issuer": (_claims(iss="https://evil.test"), "issuer", 401),
    "issuer with a slash more": (_claims(iss=f"{ISSUER}/"), "issuer", 401),
    "no issuer": (_claims(iss=None), "claims", 401),
    "other client": (_claims(client_id="other"), "client", 401),
    "no client": (_claims(client_id=None), "client", 401),
    "other audience": (_claims(aud="other"), "audience", 401),
    "no audience": (_claims(aud=None), "audience", 401),
    "other audiences": (_claims(aud=["other", "others"]), "audience", 401),
    "expired a minute ago": (_times(exp=-90), "expired", 401),
    "id token": (_claims(token_use="id"), "use", 401),
    "no token use": (_claims(token_use=None), "claims", 401),
    "no tenant": (_claims(custom__tenant_id=None), "claims", 401),
    "a tenant that is no id": (_claims(custom__tenant_id="../acme"), "claims", 401),
    "a tenant with a line break": (_claims(custom__tenant_id="acme\n"), "claims", 401),
    "a tenant that is a list": (_claims(custom__tenant_id=["acme"]), "claims", 401),
    "an empty tenant": (_claims(custom__tenant_id=""), "claims", 401),
    "no subject": (_claims(sub=None), "claims", 401),
    "a subject that is not UTF-8": (_claims(sub=msgspec.Raw(b'"\xff"')), "claims", 401),
    "a subject with control characters": (_claims(sub="a\x00b"), "claims", 401),
    "a sign-in that is no text": (_claims(origin_jti=["a"]), "claims", 401),
    "an oversized sign-in": (_claims(sid="a" * 257), "claims", 401),
    "a sign-in at a time that is text": (_claims(auth_time="now"), "claims", 401),
    "a sign-in at no time": (_claims(auth_time=1e300), "claims", 401),
    "no roles": (_claims(cognito__groups=None), "role", 403),
    "unknown roles": (_claims(cognito__groups=["admin", "Agent"]), "role", 403),
    "a user with the scope of programs": (_claims(cognito__groups=None, scope=SERVICE_SCOPE), "role", 403),
    "a program without its scope": (_claims(cognito__groups=None, sub=CLIENT, scope="openid"), "role", 403),
    "a program with a longer scope": (
        _claims(cognito__groups=None, sub=CLIENT, scope=f"{SERVICE_SCOPE}s"),
        "role",
        403,
    ),
    "a scope that is a list": (_claims(sub=CLIENT, scope=[SERVICE_SCOPE]), "claims", 401),
    "roles that are text": (_claims(cognito__groups="agent"), "claims", 401),
}


@pytest.fixture(scope="module")
def app() -> App:
    """One app for all attacks: none of them changes it."""
    return App()


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused(app: App, attack: str) -> None:
    """The attack is refused for its own reason, with a challenge, and its token is not quoted."""
    forge, reason, status = ATTACKS[attack]
    token = forge(app.issuer)
    before = app.metric("tickets_auth_refused_total", reason=reason)
    answer = TestClient(app.app).post(NOTE, json={"text": "a"}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status
    assert app.metric("tickets_auth_refused_total", reason=reason) == before + 1
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="ticketstream", error="invalid_token"')
    assert token == "x" or token not in answer.text


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["{token}"],
        ["Basic {token}"],
        ["Bearer"],
        ["Bearer "],
        ["Bearer {token}", "Bearer {token}"],
        ["Bearer {token}, Bearer {token}"],
        ["Bearer " + "x" * 9000],
        ["Bearer {token}\u00e9"],
    ],
)
def test_a_header_without_one_token_is_401(app: App, given: list[str]) -> None:
    """No header, two of them, another scheme or an oversized token is 401 with a challenge."""
    token = app.issuer.token()
    headers = [("Authorization", one.replace("{token}", token).encode()) for one in given]
    answer = TestClient(app.app).post(NOTE, json={"text": "a"}, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="ticketstream"')


def test_the_token_comes_before_all_else(app: App) -> None:
    """Without a token even an unknown path, a bad method and a malformed body are 401."""
    client = TestClient(app.app)
    assert client.get("/api/v1/nothing").status_code == 401
    assert client.delete(NOTE).status_code == 401
    assert client.post(NOTE, content=b"{").status_code == 401


def test_a_role_is_required(app: App) -> None:
    """A route for operators answers an agent with 403, and an operator with 200."""
    client = TestClient(app.app)
    assert client.get(NOTE, headers=app.issuer.headers("acme", "agent", "service")).status_code == 403
    assert client.get(NOTE, headers=app.issuer.headers("acme", "operator")).status_code == 200


def test_a_program_is_a_service(app: App) -> None:
    """A token by client credentials, whose subject is the client, gives the role service and no other."""
    claims = {"sub": CLIENT, "cognito:groups": None, "scope": f"x/y {SERVICE_SCOPE}"}
    caller = asyncio.run(app.authenticator.authenticate(app.issuer.token("globex", claims=claims)))
    assert (caller.tenant_id, caller.user_id, caller.roles) == ("globex", CLIENT, frozenset({"service"}))


def test_clocks_may_differ_a_little() -> None:
    """A token that has just expired, or is valid in a moment, is accepted within the tolerated skew."""
    app, now = App(), _now(0)
    app.authenticator._clock = lambda: now
    for claims in ({"exp": now - 29}, {"nbf": now + 29, "iat": now + 29}):
        headers = {"Authorization": f"Bearer {app.issuer.token(claims=claims)}"}
        assert TestClient(app.app).post(NOTE, json={"text": "a"}, headers=headers).status_code == 200


def test_a_token_is_refused_once_it_has_expired() -> None:
    """A token that was accepted is refused when it is sent again after its expiry."""
    app = App()
    client, headers = TestClient(app.app), {"Authorization": f"Bearer {app.issuer.token()}"}
    assert client.post(NOTE, json={"text": "a"}, headers=headers).status_code == 200
    app.authenticator._clock = lambda: time.time() + 3631
    answer = client.post(NOTE, json={"text": "a"}, headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (401, "The access token has expired.")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "TICKETS_AUTH__ISSUER"),
        ({"issuer": "https://i.test"}, "TICKETS_AUTH__CLIENT_IDS"),
        ({"issuer": "http://i.test", "client_ids": "a"}, "TICKETS_AUTH__ISSUER"),
        ({"issuer": "http://127.0.0.1.evil.test", "client_ids": "a"}, "TICKETS_AUTH__ISSUER"),
        ({"issuer": "file:///etc/passwd", "client_ids": "a"}, "TICKETS_AUTH__ISSUER"),
        ({"issuer": "https://[::1", "client_ids": "a"}, "TICKETS_AUTH__ISSUER"),
        ({"issuer": "https://i.test:99999", "client_ids": "a"}, "TICKETS_AUTH__ISSUER"),
        ({"issuer": "https://i.test", "jwks_url": "http://i.test", "audiences": "a"}, "TICKETS_AUTH__JWKS_URL"),
    ],
)
def test_settings_that_would_check_too_little_are_refused(settings: dict[str, str], named: str) -> None:
    """Settings without a usable issuer, without clients and audiences, or with keys over plain HTTP are refused."""
    with ExitStack() as stack, pytest.raises(ConfigError, match=named):
        open_authenticator(AuthSettings(**settings), stack, telemetry=Telemetry())
