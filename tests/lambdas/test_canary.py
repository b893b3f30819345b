"""The canary finds out when people get no answer, and says so in a metric."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from core.errors import ConfigError, UnavailableError
from lambdas.canary import CHECKS, Canary, sign_in_at_cognito
from lambdas.emf import EmfTelemetry
from tests.lambdas.events import SCHEDULE, call

HIT = {"hits": [{"ticket_id": "T-1"}], "nothing": False}
ANSWER = {"outcome": "answered", "sentences": [{"text": "Do this.", "citations": [{"source": 1}]}]}
SECRET = {"client_id": "c", "username": "canary", "password": "p4ss"}


class Service:
    """A service with these responses by path, and the canary's measurements of it."""

    def __init__(self, **responses: httpx.Response | Exception) -> None:
        self.responses: dict[str, httpx.Response | Exception] = {
            "search": httpx.Response(200, json=HIT),
            "answer": httpx.Response(200, json=ANSWER),
        }
        self.responses.update(responses)
        self.requests: list[httpx.Request] = []
        self.telemetry = EmfTelemetry()
        http = httpx.Client(transport=httpx.MockTransport(self.answer))
        self.canary = Canary(http, "https://t.test/", self.sign_in, "How do I get a refund?", self.telemetry)
        self.refused = False

    def sign_in(self, _timeout_s: float) -> str:
        if self.refused:
            raise UnavailableError("no token")
        return "t.o.k"

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        name = next(name for name, path in CHECKS.items() if path == request.url.path)
        response = self.responses[name]
        if isinstance(response, Exception):
            raise response
        return response

    def measured(self) -> dict[str, float]:
        """The measurement of each check: 1 if it succeeded, else 0."""
        self.canary.handle(SCHEDULE, call())
        lines: list[str] = []
        self.telemetry.flush(lines.append, function="canary", request_id="r")
        found = [httpx.Response(200, text=line).json() for line in lines]
        return {line["check"]: line["tickets_canary_ok"] for line in found if "tickets_canary_ok" in line}


def test_a_search_and_an_answer_are_asked_as_a_user_asks_them() -> None:
    """Both requests have the token and the question, and a check that succeeds is measured as 1."""
    service = Service()
    assert service.measured() == {"search": 1, "answer": 1}
    assert [str(one.url) for one in service.requests] == [f"https://t.test{path}" for path in CHECKS.values()]
    assert {one.headers["authorization"] for one in service.requests} == {"Bearer t.o.k"}
    assert all(b"refund" in one.content for one in service.requests)


_FAULTS: list[tuple[str, httpx.Response | Exception]] = [
    ("search", httpx.Response(503)),
    ("search", httpx.Response(200, json={"hits": [], "nothing": False})),
    ("search", httpx.Response(200, json={**HIT, "nothing": True})),
    ("search", httpx.Response(200, text="<html>")),
    ("search", httpx.ConnectError("refused")),
    ("answer", httpx.ReadTimeout("slow")),
    ("answer", httpx.Response(200, json={**ANSWER, "outcome": "refused"})),
    ("answer", httpx.Response(200, json={**ANSWER, "sentences": []})),
    ("answer", httpx.Response(200, json={**ANSWER, "sentences": [{"text": "So.", "citations": []}]})),
]


def test_a_check_that_fails_is_measured() -> None:
    """An outage, an empty result or an answer without a source is measured as 0, and the other check is still made."""
    for check, response in _FAULTS:
        service = Service(**{check: response})
        assert service.measured() == {"search": 1, "answer": 1} | {check: 0}, response


def test_a_refused_sign_in_is_measured() -> None:
    """Without a token nothing is asked, and both checks failed."""
    service = Service()
    service.refused = True
    assert service.measured() == {"search": 0, "answer": 0}
    assert service.requests == []


class Vault:
    """A secret store with one secret."""

    def __init__(self, secret: Mapping[str, Any] | None) -> None:
        self._secret = secret

    def stages(self, _secret_id: str) -> Mapping[str, frozenset[str]]:
        return {}

    def get(self, _secret_id: str, _stage: str, _version: str | None = None) -> Mapping[str, Any] | None:
        return self._secret

    def put(self, *_: object, **__: object) -> None:
        raise NotImplementedError

    def promote(self, *_: object, **__: object) -> None:
        raise NotImplementedError


def _cognito(response: httpx.Response, secret: Mapping[str, Any] | None, requests: list[httpx.Request]) -> str:
    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return response

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return sign_in_at_cognito(http, "https://cognito.test/", Vault(secret), "arn:secret")(3.0)


def test_the_canary_signs_in_with_its_secret() -> None:
    """Cognito gets user, password and client of the secret, and its access token is used."""
    requests: list[httpx.Request] = []
    response = httpx.Response(200, json={"AuthenticationResult": {"AccessToken": "a.b.c"}})
    assert _cognito(response, SECRET, requests) == "a.b.c"
    (request,) = requests
    assert request.headers["x-amz-target"].endswith("InitiateAuth")
    assert request.read() == (
        b'{"AuthFlow":"USER_PASSWORD_AUTH","ClientId":"c","AuthParameters":{"USERNAME":"canary","PASSWORD":"p4ss"}}'
    )


def test_a_client_with_a_secret_proves_that_it_has_it() -> None:
    """Cognito gets the hash of user and client under the client's secret, as its guide defines it."""
    requests: list[httpx.Request] = []
    response = httpx.Response(200, json={"AuthenticationResult": {"AccessToken": "a.b.c"}})
    _cognito(response, {**SECRET, "client_secret": "s3cret"}, requests)
    # printf canaryc | openssl dgst -sha256 -hmac s3cret -binary | base64
    assert b'"SECRET_HASH":"rnw0xEBMjyCUCaBOu5NGZXuAnD1uF99SfoBFqTWrYv0="' in requests[0].read()


@pytest.mark.parametrize("response", [httpx.Response(400), httpx.Response(200, json={"ChallengeName": "MFA"})])
def test_a_refusal_of_cognito_names_no_password(response: httpx.Response) -> None:
    """The error has the status, and nothing of the secret."""
    with pytest.raises(UnavailableError, match=r"no token: status \d+$"):
        _cognito(response, SECRET, [])


@pytest.mark.parametrize("secret", [None, {"client_id": "c"}])
def test_an_incomplete_secret_is_a_wrong_setting(secret: Mapping[str, Any] | None) -> None:
    """The error says which field is missing."""
    with pytest.raises(ConfigError, match="arn:secret lacks '"):
        _cognito(httpx.Response(200), secret, [])
