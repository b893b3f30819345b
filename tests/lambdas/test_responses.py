"""Requests reach the RAG service as they were sent, and a slow or absent service is a problem document in time."""

import base64
import json

import httpx
import pytest

from lambdas.function import Call, Event
from lambdas.responses import Forwarder
from tests.lambdas.events import FakeContext, call, content, gateway_request

PATH = "/api/v1/answers"
TOKEN = {"Authorization": "Bearer t.o.k", "Accept": "text/event-stream", "Cookie": "c=1", "X-Request-Id": "request-77"}


class Service:
    """A RAG service that keeps its requests."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.fault: Exception | None = None
        self.response = httpx.Response(
            200, json={"sentences": ["Grüße"]}, headers={"X-Request-Id": "request-77", "Set-Cookie": "x=1"}
        )
        client = httpx.Client(transport=httpx.MockTransport(self.answer))
        self.handle = Forwarder(client, "http://rag.internal:8082/").handle

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.fault is not None:
            raise self.fault
        return self.response


def test_a_request_is_passed_on_with_its_token_and_trace() -> None:
    """Method, path, query, token and body arrive; cookies don't, and a stream is not asked for."""
    service = Service()
    traced = Call(FakeContext(), "r", "a" * 32, f"00-{'a' * 32}-{'b' * 16}-01")
    event = gateway_request("POST", PATH, {"question": "Grüße?"}, headers=TOKEN, limit="3")
    response = service.handle(event, traced)
    (sent,) = service.requests
    assert (sent.method, str(sent.url)) == ("POST", f"http://rag.internal:8082{PATH}?limit=3")
    assert json.loads(sent.content) == {"question": "Grüße?"}
    assert sent.headers["authorization"] == "Bearer t.o.k"
    assert sent.headers["traceparent"] == traced.traceparent
    assert sent.headers["x-forwarded-for"] == "203.0.113.7"
    assert sent.headers["accept"] == "application/json"
    assert "cookie" not in sent.headers
    assert (response["statusCode"], content(response)) == (200, {"sentences": ["Grüße"]})
    assert response["headers"]["x-request-id"] == "request-77"
    assert "set-cookie" not in response["headers"]


def test_the_services_problems_are_passed_on() -> None:
    """Status, document and Retry-After are the service's own."""
    service = Service()
    service.response = httpx.Response(
        429, json={"status": 429}, headers={"Retry-After": "7", "Content-Type": "application/problem+json"}
    )
    response = service.handle(gateway_request("POST", PATH, {}, headers=TOKEN), call())
    assert (response["statusCode"], response["headers"]["retry-after"]) == (429, "7")
    assert response["headers"]["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("fault", "status"),
    [(httpx.ReadTimeout("slow"), 504), (httpx.ConnectError("refused"), 503), (httpx.ReadError("cut"), 503)],
)
def test_an_outage_is_a_problem_document(fault: Exception, status: int) -> None:
    """The function fails no request with an error of its own, which API Gateway would turn into 502."""
    service = Service()
    service.fault = fault
    response = service.handle(gateway_request("POST", PATH, {}, headers=TOKEN), call())
    assert (response["statusCode"], content(response)["status"]) == (status, status)
    assert content(response)["instance"].endswith("request-1")


def test_the_deadline_is_below_the_functions() -> None:
    """The service is asked for a second less than Lambda leaves."""
    service = Service()
    service.handle(gateway_request("POST", PATH, {}, headers=TOKEN), call(9))
    assert service.requests[0].extensions["timeout"]["read"] == 8.0


def test_a_body_in_base64_is_decoded_and_two_tokens_are_passed_on_as_none() -> None:
    """A request with two Authorization headers is refused by the service, whichever of them is valid."""
    service = Service()
    event: Event = gateway_request("POST", PATH, headers=TOKEN)
    event |= {"body": base64.b64encode(b"{}").decode(), "isBase64Encoded": True}
    event["multiValueHeaders"]["Authorization"] = ["Bearer a.b.c", "Bearer d.e.f"]
    service.handle(event, call())
    assert service.requests[0].content == b"{}"
    assert "authorization" not in service.requests[0].headers


@pytest.mark.parametrize("value", ["Bearer t.o.\u00e9", "Bearer t.o.k\r\nX-Forwarded-For: 1.2.3.4", "Bearer \x00"])
def test_a_header_that_cant_be_sent_is_left_out(value: str) -> None:
    """The service gets the request without a header that is not printable ASCII, and refuses it for its lack."""
    service = Service()
    response = service.handle(gateway_request("POST", PATH, {}, headers=TOKEN | {"Authorization": value}), call())
    assert response["statusCode"] == 200
    assert "authorization" not in service.requests[0].headers
    assert service.requests[0].headers["x-request-id"] == TOKEN["X-Request-Id"]


def test_a_response_that_lambda_could_not_return_is_a_problem() -> None:
    """Lambda's own error for more than 6 MB would be a 502 without a document."""
    service = Service()
    service.response = httpx.Response(200, content=b"x" * 5_000_000)
    assert service.handle(gateway_request("POST", PATH, {}, headers=TOKEN), call())["statusCode"] == 500


@pytest.mark.parametrize("path", ["/metrics", "/api", "@evil.test/api/v1/answers", "/api/../metrics", "/api/v1/.."])
def test_only_the_api_is_reached(path: str) -> None:
    """The service's metrics and probes are for the inside, and the path names no other host."""
    service = Service()
    assert service.handle(gateway_request("GET", path, headers=TOKEN), call())["statusCode"] == 404
    assert service.requests == []
