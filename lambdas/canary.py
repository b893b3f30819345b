"""The canary: signs in as a user of its own, searches and asks through the public address, and measures both.

A solved ticket of the user's tenant answers the question, so both must find it. A check that fails is a measurement,
not an error: the alarm is on the metric, and on its absence.
"""

import base64
import hmac
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Final

import httpx

from connectors.credentials.secrets import Secrets, open_secrets
from core.errors import ConfigError, TicketstreamError, UnavailableError
from core.settings import Settings
from lambdas.function import Call, Event, Function, Handle
from runtime.service_client import base_url, open_http_client
from runtime.telemetry import Telemetry

logger: Final = logging.getLogger("ticketstream.lambdas")

#: The path of each check, by its name.
CHECKS: Final[Mapping[str, str]] = {"search": "/api/v1/search", "answer": "/api/v1/answers"}
#: Time left to the function when the checks have ended.
_RESERVE_S: Final = 2.0
_TARGET: Final = "AWSCognitoIdentityProviderService.InitiateAuth"

SignIn = Callable[[float], str]


class Canary:
    """Searches and asks as a user does, and measures both."""

    def __init__(self, http: httpx.Client, base: str, sign_in: SignIn, question: str, telemetry: Telemetry) -> None:
        """Ask `question` at `base` with access tokens of `sign_in`, which is given its timeout in seconds."""
        self._http = http
        self._base = base.rstrip("/")
        self._sign_in = sign_in
        self._question = question
        self._telemetry = telemetry

    def handle(self, _event: Event, call: Call) -> Event:
        """Make each check, even if another one fails, and return which succeeded."""
        return {name: self._check(name, call) for name in CHECKS}

    def _check(self, name: str, call: Call) -> bool:
        left_s = max(0.1, (call.left_s() - _RESERVE_S) / 2)  # the later check has as long as this one
        began = time.monotonic()
        try:
            fault = self._ask(name, left_s)
        except (httpx.HTTPError, TicketstreamError) as error:
            fault = type(error).__name__
        self._telemetry.gauge("tickets_canary_ok", 0.0 if fault else 1.0, name)
        self._telemetry.gauge("tickets_canary_seconds", time.monotonic() - began, name)
        if fault:
            logger.warning("the canary failed", extra={"check": name, "fault": fault})
        return not fault

    def _ask(self, name: str, left_s: float) -> str:
        """The fault of the response; empty if it is as expected."""
        began = time.monotonic()
        headers = {"authorization": f"Bearer {self._sign_in(left_s)}", "accept": "application/json"}
        left_s -= time.monotonic() - began
        body = {"question": self._question}
        response = self._http.post(self._base + CHECKS[name], json=body, headers=headers, timeout=max(0.1, left_s))
        if response.status_code != httpx.codes.OK:
            return f"status {response.status_code}"
        try:
            found = response.json()
        except ValueError:
            return "not JSON"
        return _WRONG[name](found)


#: The JSON of a response.
_Found = Mapping[str, Any]


def _wrong_search(found: _Found) -> str:
    return "" if found.get("hits") and not found.get("nothing") else "nothing found"


def _wrong_answer(found: _Found) -> str:
    sentences = found.get("sentences") or []
    if found.get("outcome") != "answered" or not sentences:
        return "no answer"
    return "" if all(each.get("citations") for each in sentences) else "a sentence without a source"


_WRONG: Final = {"search": _wrong_search, "answer": _wrong_answer}


def sign_in_at_cognito(http: httpx.Client, url: str, secrets: Secrets, secret_id: str) -> SignIn:
    """Signs in with `client_id`, `client_secret` (if any), `username` and `password` of a secret, read each time.

    Raises:
        ConfigError: (when called) the secret has no value, or lacks one of the three.
        UnavailableError: (when called) Cognito refuses, or returns no token.
    """

    def sign_in(timeout_s: float) -> str:
        secret = secrets.get(secret_id, "AWSCURRENT") or {}
        try:
            client, user, password = (str(secret[name]) for name in ("client_id", "username", "password"))
        except KeyError as error:
            raise ConfigError(f"the secret {secret_id} lacks {error}; it needs client_id, username, password") from None
        parameters = {"USERNAME": user, "PASSWORD": password}
        if "client_secret" in secret:
            # https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html, "Secret hash"
            hashed = hmac.digest(str(secret["client_secret"]).encode(), (user + client).encode(), "sha256")
            parameters["SECRET_HASH"] = base64.b64encode(hashed).decode()
        body = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client, "AuthParameters": parameters}
        headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": _TARGET}
        response = http.post(url, json=body, headers=headers, timeout=timeout_s)
        token = response.json().get("AuthenticationResult", {}).get("AccessToken") if response.is_success else None
        if not token:
            raise UnavailableError(f"Cognito gives the canary no token: status {response.status_code}")
        return str(token)

    return sign_in


def open_canary(settings: Settings, stack: ExitStack, telemetry: Telemetry) -> Handle:
    """The handler, with its connections.

    Raises:
        ConfigError: TICKETS_CANARY__SECRET_ID or TICKETS_CANARY__SIGN_IN_URL is missing.
    """
    given = settings.canary
    if given.secret_id is None or given.sign_in_url is None:
        raise ConfigError("the canary needs TICKETS_CANARY__SECRET_ID and TICKETS_CANARY__SIGN_IN_URL")
    http = open_http_client(settings.client, stack)
    secrets = open_secrets()
    sign_in = sign_in_at_cognito(http, str(given.sign_in_url), secrets, given.secret_id)
    return Canary(http, base_url(settings.client, "rag"), sign_in, given.question, telemetry).handle


handler: Final = Function("canary", open_canary)
