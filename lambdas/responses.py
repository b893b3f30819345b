"""Answers, search and feedback behind API Gateway: passes a request on to the RAG service, which has index and models.

The service checks the token, as it does for everyone; the function adds the deadline, the trace and the client's
address. An answer comes as one document, because a proxy response of a REST API can't be a stream.
"""

import base64
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final
from urllib.parse import quote, urlencode

import httpx

from core.settings import Settings
from lambdas.function import Call, Event, Function, Handle
from runtime.service_client import base_url, open_http_client
from runtime.telemetry import Telemetry
from services.http.problems import Problem, unavailable

#: Time left to the function when a request is answered with 504.
_RESERVE_S: Final = 1.0
#: Lambda's limit is 6 MB, and JSON in JSON grows.
_MAX_BYTES: Final = 4_000_000
_PATH: Final = "/api/"
_PASSED: Final = ("authorization", "content-type", "traceparent", "tracestate", "x-request-id")
_RETURNED: Final = ("content-type", "etag", "retry-after", "www-authenticate", "x-request-id", "ratelimit")


class Forwarder:
    """Passes requests on to a service."""

    def __init__(self, http: httpx.Client, base: str) -> None:
        """Send them to `base`, the URL of the service."""
        self._http = http
        self._base = base.rstrip("/")

    def handle(self, event: Event, call: Call) -> Event:
        """The service's response, or a problem document. Raises nothing: API Gateway would answer 502."""
        path: str = event["path"]
        if not path.startswith(_PATH) or ".." in path.split("/"):  # the service has metrics and probes beside it
            return _problem(Problem("not-found", "There is no such path."), call)
        body = event.get("body") or ""
        content = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
        try:
            response = self._http.request(
                event["httpMethod"],
                self._base + quote(path) + _query(event),
                content=content,
                headers=_headers(event, call),
                timeout=max(0.1, call.left_s() - _RESERVE_S),
            )
        except httpx.TimeoutException:
            return _problem(Problem("timeout", "The answer took too long; try again."), call)
        except httpx.HTTPError:
            return _problem(unavailable("The service of answers can't be reached."), call)
        if len(response.content) > _MAX_BYTES:
            return _problem(Problem("internal", "The response is too large."), call)
        headers = {name: value for name, value in response.headers.items() if name.startswith(_RETURNED)}
        return {"statusCode": response.status_code, "headers": headers, "body": response.text}


def _headers(event: Event, call: Call) -> dict[str, str]:
    given = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    several = {name.lower() for name, values in (event.get("multiValueHeaders") or {}).items() if len(values) > 1}
    # A header that comes twice is left out: one of the two would be chosen, and the service refuses both. So is one
    # that can't be sent; without its token a request is refused.
    passed = {name: given[name] for name in _PASSED if name in given and name not in several and _may_pass(given[name])}
    address = event.get("requestContext", {}).get("identity", {}).get("sourceIp")
    ours = {"accept": "application/json"} | ({} if address is None else {"x-forwarded-for": str(address)})
    trace = {"traceparent": call.traceparent} if call.traceparent else {}
    return trace | passed | ours


def _may_pass(value: str) -> bool:
    return value.isascii() and value.isprintable()


def _query(event: Event) -> str:
    several: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {}
    return f"?{urlencode(several, doseq=True)}" if several else ""


def _problem(problem: Problem, call: Call) -> Event:
    response = problem.response(call.request_id)
    headers = {**dict(response.headers), "x-request-id": call.request_id}
    return {"statusCode": response.status_code, "headers": headers, "body": bytes(response.body).decode()}


def open_responses(settings: Settings, stack: ExitStack, _telemetry: Telemetry) -> Handle:
    """The handler, with its connections."""
    return Forwarder(open_http_client(settings.client, stack), base_url(settings.client, "rag")).handle


handler: Final = Function("responses", open_responses)
