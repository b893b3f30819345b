"""A client's access token, from a setting, a file, or a sign-in at an issuer."""

import base64
import getpass
import json
import threading
import time
from collections.abc import Callable
from typing import Annotated, Final

import httpx
import msgspec
from msgspec import Meta, Struct, field

from core.client_settings import ClientSettings
from core.errors import ConfigError, UnavailableError

#: Returns the token for the next request.
Token = Callable[[], str]

_NAMES: Final = "TICKETS_CLIENT__TOKEN or TICKETS_CLIENT__TOKEN_FILE"
#: A token is renewed this many seconds before it expires.
_MARGIN_S: Final = 30.0
_ROLES: Final = ("agent", "operator")


class _Claims(Struct, frozen=True):
    tenant_id: str | None = field(name="custom:tenant_id", default=None)


class _Issued(Struct, frozen=True):
    access_token: Annotated[str, Meta(min_length=1)]
    expires_in: float


def open_token(settings: ClientSettings, http: httpx.Client, *, tenant: str | None) -> Token:
    """Open the token that the settings name. The token determines the tenant; `tenant` is needed for a sign-in.

    Raises:
        ConfigError: the settings name no token, it is malformed, or it is not for `tenant`.
        UnavailableError: the issuer doesn't answer.
    """
    if settings.token is None and settings.token_file is None:
        if settings.token_url is None or (settings.sign_in_code is None and settings.client_secret is None):
            raise ConfigError(f"an access token is needed: set {_NAMES}")
        if tenant is None:
            raise ConfigError("the sign-in needs a tenant: give --tenant")
        by_credentials = settings.client_secret is not None
        token: Token = (_ClientCredentials if by_credentials else _SignIn)(settings, http, tenant)
    else:
        token = lambda: configured_token(settings)  # noqa: E731 - one of two
    given = tenant_of(token())
    if tenant is not None and given is not None and given != tenant:
        raise ConfigError(f"the access token is for tenant {given}, not {tenant}; leave --tenant out, or set {_NAMES}")
    return token


def configured_token(settings: ClientSettings) -> str:
    """The token of the settings; a file is read each time.

    Raises:
        ConfigError: there is none, the file can't be read, or it isn't one word of ASCII.
    """
    if settings.token is not None:
        token = settings.token.get_secret_value().strip()
    elif settings.token_file is not None:
        try:
            token = settings.token_file.read_text().strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ConfigError(f"TICKETS_CLIENT__TOKEN_FILE: can't read {settings.token_file} ({reason})") from None
    else:
        raise ConfigError(f"an access token is needed: set {_NAMES}")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(f"the access token of {_NAMES} is empty or not a token")
    return token


def tenant_of(token: str) -> str | None:
    """The tenant that a token names; only the services verify it. None if it names none."""
    try:
        payload = token.split(".")[1]
        return msgspec.json.decode(
            base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=_Claims
        ).tenant_id
    except (IndexError, ValueError):  # msgspec's and base64's errors are ValueErrors
        return None


class _SignIn:
    """Signs in with a code, and again before the token expires. Safe to use from any thread."""

    def __init__(self, settings: ClientSettings, http: httpx.Client, tenant: str) -> None:
        self._settings = settings
        self._http = http
        self._tenant = tenant
        self._lock = threading.Lock()
        self._token = ""
        self._until = float("-inf")

    def __call__(self) -> str:
        with self._lock:
            if time.monotonic() > self._until:
                issued = self._ask()
                self._token, self._until = issued.access_token, time.monotonic() + issued.expires_in - _MARGIN_S
            return self._token

    def _ask(self) -> _Issued:
        assert self._settings.token_url is not None  # noqa: S101 - see open_token
        try:
            response = self._post("".join(self._settings.token_url))
            if response.status_code in self._refusals:
                raise ConfigError(f"the issuer does not accept {self._offered}")
            response.raise_for_status()
            return msgspec.json.decode(response.content, type=_Issued)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise UnavailableError(f"the issuer gives no token at {self._settings.token_url} ({error})") from None

    _offered = "the sign-in code: set TICKETS_CLIENT__SIGN_IN_CODE"
    _refusals = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})

    def _post(self, url: str) -> httpx.Response:
        assert self._settings.sign_in_code is not None  # noqa: S101 - see open_token
        body = {"tenant_id": self._tenant, "user_id": getpass.getuser(), "roles": _ROLES}
        headers = {"Authorization": f"Bearer {self._settings.sign_in_code.get_secret_value()}"}
        return self._http.post(url, json=body, headers=headers)


class _ClientCredentials(_SignIn):
    """Gets tokens by a program's own credentials (RFC 6749, section 4.4). Safe to use from any thread.

    The tenant is client metadata, which Cognito passes to its pre-token trigger; the token has the claim.
    """

    _offered = "the client's credentials, or the tenant: set TICKETS_CLIENT__CLIENT_ID and CLIENT_SECRET"
    # RFC 6749, section 5.2: unknown clients and refused grants are answered with 400 or 401.
    _refusals = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})

    def _post(self, url: str) -> httpx.Response:
        assert self._settings.client_secret is not None  # noqa: S101 - see open_token
        metadata = json.dumps({"tenant_id": self._tenant})
        fields = {"grant_type": "client_credentials", "aws_client_metadata": metadata}
        credentials = (self._settings.client_id or "", self._settings.client_secret.get_secret_value())
        return self._http.post(url, data=fields, auth=credentials)
