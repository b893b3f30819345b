"""An issuer of access tokens on loopback, for machines without Amazon Cognito.

The services verify its tokens like Cognito's. `python -m local.issuer` runs it alone.
"""

import argparse
import base64
import hmac
import re
import secrets
import signal
import sys
import time
from collections.abc import Collection, Iterable
from contextlib import ExitStack
from typing import Annotated, Final
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Meta, Struct

from core.callers import Role
from core.contract import TenantId
from core.errors import TicketstreamError
from runtime.connections import Limits
from runtime.http import open_http_server

#: The client id in its tokens, for TICKETS_AUTH__CLIENT_IDS.
CLIENT: Final = "local"
_HOST: Final = "127.0.0.1"
_LIFETIME_S: Final = 3600
_BITS: Final = 2048
_MAX_BODY: Final = 4096
#: Hosts of pages that may request tokens. Another name that resolves to loopback may belong to an attacker.
_LOCAL: Final = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?")

UserId = Annotated[str, Meta(pattern=r"^[!-~]{1,128}$(?!\n)")]
Roles = Annotated[list[Role], Meta(min_length=1, max_length=3)]


class TokenRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST /token."""

    tenant_id: TenantId
    user_id: UserId
    roles: Roles


class LocalIssuer:
    """Issues tokens with a key of its own, which lives as long as the process."""

    def __init__(self, key: rsa.RSAPrivateKey, secret: str) -> None:
        self._key = key
        self._key_id = secrets.token_hex(8)
        #: The secret, for which anybody gets tokens of any tenant.
        self.secret = secret
        #: The URL, which is set when the issuer is served.
        self.url = ""

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables of a service that is to trust it."""
        return {"TICKETS_AUTH__ISSUER": self.url, "TICKETS_AUTH__CLIENT_IDS": CLIENT}

    def token(self, tenant_id: str, user_id: str, roles: Collection[Role]) -> str:
        """A token as Cognito issues it, for an hour."""
        now = int(time.time())
        header = {"alg": "RS256", "kid": self._key_id}
        claims = {
            "iss": self.url,
            "sub": user_id,
            "client_id": CLIENT,
            "token_use": "access",
            "iat": now,
            "exp": now + _LIFETIME_S,
            "jti": secrets.token_hex(16),
            "custom:tenant_id": tenant_id,
            "cognito:groups": sorted(roles),
        }
        content = f"{_base64(msgspec.json.encode(header))}.{_base64(msgspec.json.encode(claims))}"
        return f"{content}.{_base64(self._key.sign(content.encode(), PKCS1v15(), SHA256()))}"

    def jwks(self) -> bytes:
        """The public key (JWKS, RFC 7517)."""
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self._key_id}
        return msgspec.json.encode({"keys": [key | {"n": _number(numbers.n), "e": _number(numbers.e)}]})

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """GET /.well-known/jwks.json, and POST /token with `Authorization: Bearer SECRET`."""
        if not _LOCAL.fullmatch(environ.get("HTTP_HOST", "")):
            return _respond(environ, start, "403 Forbidden", {"error": "use the address 127.0.0.1"})
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if (method, path) == ("GET", "/.well-known/jwks.json"):
            return _respond(environ, start, "200 OK", msgspec.Raw(self.jwks()))
        if (method, path) == ("OPTIONS", "/token"):
            return _respond(environ, start, "200 OK", {})
        if (method, path) == ("POST", "/token"):
            return self._issue(environ, start)
        return _respond(environ, start, "404 Not Found", {"error": "the paths are /token and /.well-known/jwks.json"})

    def _issue(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        given = environ.get("HTTP_AUTHORIZATION", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.secret}".encode()):
            return _respond(environ, start, "401 Unauthorized", {"error": "send Authorization: Bearer SECRET"})
        try:
            wanted = msgspec.json.decode(environ["wsgi.input"].read(_MAX_BODY), type=TokenRequest)
        except (ValueError, RecursionError) as error:  # msgspec's, and that of text that isn't UTF-8
            return _respond(environ, start, "400 Bad Request", {"error": str(error)})
        token = self.token(wanted.tenant_id, wanted.user_id, frozenset(wanted.roles))
        return _respond(
            environ, start, "200 OK", {"access_token": token, "token_type": "Bearer", "expires_in": _LIFETIME_S}
        )


def open_issuer(stack: ExitStack, *, port: int = 0) -> LocalIssuer:
    """Serve a new issuer on 127.0.0.1, which `stack` closes; port 0 picks a free one.

    Raises:
        ConfigError: the port is taken.
    """
    issuer = LocalIssuer(rsa.generate_private_key(public_exponent=65_537, key_size=_BITS), secrets.token_urlsafe(24))
    bounds = Limits(body_bytes=_MAX_BODY)
    server = open_http_server(issuer, stack, host=_HOST, port=port, setting="the issuer", limits=bounds)
    issuer.url = f"http://{_HOST}:{server.port}"
    return issuer


def _respond(environ: WSGIEnvironment, start: StartResponse, status: str, body: object) -> list[bytes]:
    content = msgspec.json.encode(body)
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(content))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    scheme, _, host = environ.get("HTTP_ORIGIN", "").partition("://")
    if scheme == "http" and _LOCAL.fullmatch(host):
        headers += [
            ("Access-Control-Allow-Origin", f"http://{host}"),
            ("Access-Control-Allow-Headers", "authorization, content-type"),
            ("Vary", "Origin"),
        ]
    start(status, headers)
    return [content]


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _number(number: int) -> str:
    return _base64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def main() -> None:
    """Serve an issuer until SIGINT or SIGTERM, and print its settings and secret."""
    parser = argparse.ArgumentParser(prog="python -m local.issuer", description="Issues access tokens on loopback.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 picks a free one")
    options = parser.parse_args()
    ending = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        with ExitStack() as stack:
            issuer = open_issuer(stack, port=options.port)
            lines = [f"{name}={value}" for name, value in issuer.variables.items()]
            sys.stdout.write("\n".join([*lines, f"SECRET={issuer.secret}", ""]))
            sys.stdout.flush()
            signal.sigwait(ending)
    except TicketstreamError as error:
        sys.stderr.write(f"ticketstream: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
