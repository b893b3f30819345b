"""Access tokens: JSON Web Tokens as Amazon Cognito issues them, signed with RS256."""

import re
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from typing import Annotated, Final
from urllib.parse import urlsplit

import httpx
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from msgspec import Meta, Struct, field

from core.callers import ROLES, Role
from core.contract import TenantId
from core.errors import ConfigError
from core.service_settings import AuthSettings
from runtime.telemetry import Telemetry
from services.http.authentication import unauthenticated
from services.http.callers import Caller, SignIn
from services.http.keys import Fetch, Keys, KeysUnavailableError, fetch_over_http
from services.http.problems import Problem, unavailable

#: Tolerated difference between the issuer's clock and ours, in seconds.
SKEW_S: Final = 30.0
#: The scope that gives a program the role `service`. An administrator grants it to a client in Cognito.
SERVICE_SCOPE: Final = "ticketstream/service"
#: Accepted headers. Others could name a key or change the token's meaning; Cognito's tokens don't have them.
_HEADERS: Final = frozenset({"alg", "kid", "typ"})
_JWT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
#: Hosts that are reached past the proxies of the environment: one could replace keys that are fetched over http.
_DIRECT: Final = dict.fromkeys(("all://127.0.0.1", "all://[::1]", "all://localhost"))
#: Messages for callers by reason; for other reasons only that the token is not valid.
_TOLD: Final = {"expired": "The access token has expired.", "not-yet": "The access token is not valid yet."}


class _Header(Struct):
    alg: str
    kid: Annotated[str, Meta(min_length=1, max_length=256)]


#: In the year 5138; later times count as this one.
_FAR_S: Final = 1e11

_Id = Annotated[str, Meta(max_length=256)]


class _Claims(Struct):
    iss: str
    exp: float
    iat: Annotated[float, Meta(ge=0)]
    token_use: str
    sub: Annotated[str, Meta(pattern=r"^[!-~]{1,128}$(?!\n)")]
    tenant_id: TenantId = field(name="custom:tenant_id")
    nbf: float = 0.0
    client_id: str = ""
    aud: str | list[str] = ""
    groups: list[str] = field(name="cognito:groups", default_factory=list)
    scope: str = ""
    auth_time: Annotated[float, Meta(ge=0, le=_FAR_S)] = 0.0
    origin_jti: _Id = ""
    sid: _Id = ""
    jti: _Id = ""


class _RefusedError(Exception):
    """The token is refused; the message is the reason in metrics."""


class TokenAuthenticator:
    """Verifies access tokens."""

    def __init__(
        self,
        keys: Keys,
        *,
        issuer: str,
        audiences: Collection[str],
        client_ids: Collection[str],
        telemetry: Telemetry,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Accept tokens of `issuer`; `clock` is in seconds since 1970. Empty collections leave a claim unchecked."""
        self._keys = keys
        self._issuer = issuer
        self._audiences = frozenset(audiences)
        self._client_ids = frozenset(client_ids)
        self._telemetry = telemetry
        self._clock = clock

    async def authenticate(self, token: str) -> Caller:
        """The caller that a token names.

        Raises:
            Problem: unauthenticated, forbidden without a role, or unavailable if no key is known to verify it.
        """
        try:
            claims = _verified(token, await self._key(token))
            self._check(claims)
        except _RefusedError as error:
            reason = str(error)
            self._telemetry.count("tickets_auth_refused_total", reason)
            raise unauthenticated(_TOLD.get(reason, "The access token is not valid.")) from None
        except KeysUnavailableError:
            self._telemetry.count("tickets_auth_refused_total", "no-keys")
            raise unavailable("Access tokens can't be checked now.", retry_after_s=10.0) from None
        roles = frozenset(role for role in ROLES if role in claims.groups) | _roles_of_program(claims)
        if not roles:
            self._telemetry.count("tickets_auth_refused_total", "role")
            raise Problem("forbidden", f"The access token has none of the roles {', '.join(ROLES)}.")
        return Caller(claims.tenant_id, claims.sub, roles, _sign_in(claims))

    async def _key(self, token: str) -> RSAPublicKey:
        if not _JWT.fullmatch(token):
            raise _RefusedError("malformed")
        try:
            encoded = jwt.utils.base64url_decode(token.partition(".")[0])
            given = msgspec.json.decode(encoded, type=dict[str, object])
            header = msgspec.convert(given, _Header)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise _RefusedError("malformed") from None
        if not _HEADERS.issuperset(given):
            raise _RefusedError("header")
        if header.alg != "RS256":
            raise _RefusedError("algorithm")
        key = await self._keys.find(header.kid)
        if key is None:
            raise _RefusedError("key")
        return key

    def _check(self, claims: _Claims) -> None:
        now = self._clock()
        if claims.iss != self._issuer:
            raise _RefusedError("issuer")
        if claims.token_use != "access":  # noqa: S105 - a kind of token
            raise _RefusedError("use")
        if not now < claims.exp + SKEW_S:
            raise _RefusedError("expired")
        if not max(claims.nbf, claims.iat) - SKEW_S <= now:
            raise _RefusedError("not-yet")
        if self._audiences and self._audiences.isdisjoint([claims.aud] if isinstance(claims.aud, str) else claims.aud):
            raise _RefusedError("audience")
        if self._client_ids and claims.client_id not in self._client_ids:
            raise _RefusedError("client")


def _roles_of_program(claims: _Claims) -> frozenset[Role]:
    """The role of a program with credentials of its own: it has no groups, and is its own subject."""
    is_program = claims.sub == claims.client_id and SERVICE_SCOPE in claims.scope.split()
    return frozenset({"service"}) if is_program else frozenset()


def _sign_in(claims: _Claims) -> SignIn:
    """All tokens of a sign-in have the same `origin_jti` (Cognito) or `sid` (OpenID); without them each is its own."""
    sign_in_id = claims.origin_jti or claims.sid or claims.jti or f"{claims.iat}/{claims.exp}"
    at_s, expires_s = claims.auth_time or claims.iat, min(claims.exp, _FAR_S)
    return SignIn(sign_in_id, int(at_s * 1000), int(expires_s * 1000))


def _verified(token: str, key: RSAPublicKey) -> _Claims:
    """The claims of a token that `key` has signed."""
    try:
        payload = jwt.PyJWS().decode(token, key, algorithms=["RS256"])
    except (jwt.PyJWTError, ValueError):
        raise _RefusedError("signature") from None
    try:
        return msgspec.json.decode(payload, type=_Claims)
    except (ValueError, RecursionError):  # msgspec's, and that of text that isn't UTF-8
        raise _RefusedError("claims") from None


def open_authenticator(settings: AuthSettings, stack: ExitStack, *, telemetry: Telemetry) -> TokenAuthenticator:
    """An authenticator that fetches the issuer's keys when the first token arrives.

    Raises:
        ConfigError: the issuer is missing, audience and client are both missing, or a URL is not https (http is
            allowed on loopback).
    """
    if settings.issuer is None:
        raise ConfigError(
            "TICKETS_AUTH__ISSUER: set it to the issuer of the access tokens; `make run` starts a local one"
        )
    audiences, client_ids = _listed(settings.audiences), _listed(settings.client_ids)
    if not audiences and not client_ids:
        raise ConfigError("TICKETS_AUTH__CLIENT_IDS: set it, or TICKETS_AUTH__AUDIENCES, to the accepted clients")
    # `Address` hides credentials when printed; the pieces are joined without formatting it.
    url = "".join((settings.issuer.rstrip("/"), "/.well-known/jwks.json"))
    url = _safe(settings.jwks_url or url, "TICKETS_AUTH__JWKS_URL" if settings.jwks_url else "TICKETS_AUTH__ISSUER")
    client = stack.enter_context(httpx.Client(mounts=_DIRECT))
    return authenticator_of(
        fetch_over_http(client, url),
        issuer=settings.issuer,
        audiences=audiences,
        client_ids=client_ids,
        telemetry=telemetry,
    )


def authenticator_of(
    fetch: Fetch, *, issuer: str, audiences: Collection[str], client_ids: Collection[str], telemetry: Telemetry
) -> TokenAuthenticator:
    """An authenticator that gets its keys from `fetch`."""
    return TokenAuthenticator(
        Keys(fetch), issuer=issuer, audiences=audiences, client_ids=client_ids, telemetry=telemetry
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _safe(url: str, setting: str) -> str:
    try:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        usable = safe and parts.hostname and parts.port != 0
    except ValueError:  # its message may quote a password
        usable = False
    if not usable:
        raise ConfigError(f"{setting}: needs an https:// URL; http:// is allowed on loopback only")
    return url
