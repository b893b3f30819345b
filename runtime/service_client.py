"""The client of the HTTP services: requests under an access token, and problem documents as errors."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Final, Literal, get_args
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from core.client_settings import ClientSettings
from core.errors import ConfigError, FatalError, NoTicketError, TicketstreamError, UnavailableError
from runtime.access_tokens import Token, open_token

Service = Literal["rag", "tickets"]
SERVICES: Final[tuple[Service, ...]] = get_args(Service)

#: By service: its name in errors, the setting of its URL, and the module that starts it.
_NAMES: Final[dict[Service, tuple[str, str, str]]] = {
    "rag": ("the RAG service", "TICKETS_CLIENT__RAG_URL", "services.rag"),
    "tickets": ("the ticket API", "TICKETS_CLIENT__TICKETS_URL", "services.tickets"),
}
_TOKEN: Final = "TICKETS_CLIENT__TOKEN or TICKETS_CLIENT__TOKEN_FILE"  # noqa: S105 - names of settings
_MAX_FRAME_BYTES: Final = 4 * 1024 * 1024
_LINE_ENDS: Final = re.compile(rb"\r\n|\r|\n")
_UNAVAILABLE: Final = frozenset({408, 429, 502, 503, 504})


class FieldFault(Struct, frozen=True):
    """A fault of one field of the request."""

    field: str = ""
    message: str = ""


class ProblemDocument(Struct, frozen=True):
    """The body of an error (RFC 9457), with the fields that the client shows."""

    title: str = ""
    detail: str = ""
    errors: tuple[FieldFault, ...] = ()


class Reply(Struct, frozen=True):
    """A response: its JSON, and the ETag if it has one."""

    content: bytes
    etag: str | None = None


class ServerEvent(Struct, frozen=True):
    """A server-sent event."""

    name: str
    data: bytes


class ServiceClient:
    """Calls one service. Safe to use from any thread."""

    def __init__(self, http: httpx.Client, service: Service, base: str, token: Token) -> None:
        self._http = http
        self._service = service
        self._base = "".join(base).rstrip("/")
        self._token = token

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The response to a request.

        Raises:
            ConfigError, NoTicketError: the service refuses the request or the token.
            UnavailableError: it doesn't answer, or is busy.
            FatalError: it failed.
        """
        try:
            response = self._http.request(
                method, self._base + path, content=_encoded(body), params=params, headers=self._headers(headers)
            )
        except httpx.HTTPError as error:
            raise self._silent(error) from None
        except UnicodeEncodeError:
            raise ConfigError("the request contains text that is not Unicode") from None
        if not response.is_success:
            raise self._refused(response)
        return Reply(response.content, response.headers.get("ETag"))

    def stream(self, path: str, body: Mapping[str, object]) -> Iterator[ServerEvent]:
        """The server-sent events of the response to a POST. Heartbeats are passed over.

        Raises:
            TicketstreamError: as `call`; FatalError also if an event is larger than 4 MiB.
        """
        headers = self._headers({"Accept": "text/event-stream"})
        try:
            with self._http.stream("POST", self._base + path, content=_encoded(body), headers=headers) as response:
                if not response.is_success:
                    response.read()
                    raise self._refused(response)
                yield from server_events(response.iter_bytes())
        except httpx.HTTPError as error:
            raise self._silent(error) from None

    def _headers(self, more: Mapping[str, str] | None) -> dict[str, str]:
        ours = {"Accept": "application/json", "Content-Type": "application/json"}
        return ours | {"Authorization": f"Bearer {self._token()}"} | dict(more or {})

    def _silent(self, error: Exception) -> TicketstreamError:
        name, setting, module = _NAMES[self._service]
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return UnavailableError(
                f"{name} does not answer at {self._base}; start it (python -m {module}), or set {setting}"
            )
        if isinstance(error, httpx.TimeoutException):
            return UnavailableError(f"{name} at {self._base} was silent for too long; try again")
        return UnavailableError(
            f"{name} at {self._base} closed the connection before its answer was complete; try again"
        )

    def _refused(self, response: httpx.Response) -> TicketstreamError:
        name = _NAMES[self._service][0]
        problem = _problem(response)
        said = _sentence(problem) or f"it answered {response.status_code}"
        if response.status_code == httpx.codes.UNAUTHORIZED:
            return ConfigError(f"{name} does not accept the access token: {said}; set {_TOKEN}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return NoTicketError(said)
        if response.status_code in _UNAVAILABLE:
            wait = response.headers.get("Retry-After", "")
            return UnavailableError(f"{name}: {said}; try again" + (f" in {wait} s" if wait.isdigit() else " later"))
        if response.is_client_error:
            return ConfigError(f"{name}: {said}")
        request_id = response.headers.get("X-Request-Id", "unknown")
        return FatalError(f"{name}: {said} (request {request_id})")


def open_http_client(settings: ClientSettings, stack: ExitStack) -> httpx.Client:
    """A pool of connections, which `stack` closes. It ignores the environment's proxies and credentials."""
    return stack.enter_context(httpx.Client(timeout=settings.timeout_s, trust_env=False))


def open_service_client(
    settings: ClientSettings, service: Service, stack: ExitStack, *, tenant: str | None = None
) -> ServiceClient:
    """A client of a service under the token that the settings name.

    Raises:
        ConfigError: they name no token, or it is not for `tenant`.
        UnavailableError: the issuer of tokens doesn't answer.
    """
    http = open_http_client(settings, stack)
    base = base_url(settings, service)
    return ServiceClient(http, service, base, open_token(settings, http, tenant=tenant))


def base_url(settings: ClientSettings, service: Service) -> str:
    """The URL of a service."""
    return settings.rag_url if service == "rag" else settings.tickets_url


def segment(value: str) -> str:
    """`value` as one segment of a path. Ticket ids may contain slashes."""
    return quote(value, safe="", errors="surrogateescape")


def server_events(chunks: Iterable[bytes]) -> Iterator[ServerEvent]:
    """Parse server-sent events as the HTML standard defines them. An incomplete last event is dropped.

    Raises:
        FatalError: an event is larger than 4 MiB.
    """
    rest, name, data, size, after_return = b"", "message", list[bytes](), 0, False
    for received in chunks:
        if not received:
            continue
        chunk = received[1:] if after_return and received.startswith(b"\n") else received
        after_return = received.endswith(b"\r")
        *lines, rest = _LINE_ENDS.split(rest + chunk)
        for line in lines:
            if not line:
                if data:
                    yield ServerEvent(name, b"\n".join(data))
                name, data, size = "message", [], 0
                continue
            field, _, content = line.partition(b":")
            content = content.removeprefix(b" ")
            if field == b"event":
                name = content.decode(errors="replace")
            elif field == b"data":
                data.append(content)
                size += len(content)
        if size + len(rest) > _MAX_FRAME_BYTES:
            raise FatalError("the service sent an event of more than 4 MiB")


def _encoded(body: Mapping[str, object] | None) -> bytes | None:
    """JSON in ASCII. Command-line arguments may contain invalid text, which the service then refuses."""
    return None if body is None else json.dumps(body).encode()


def _problem(response: httpx.Response) -> ProblemDocument:
    try:
        return msgspec.json.decode(response.content, type=ProblemDocument)
    except (ValueError, RecursionError):  # an answer of something other than the service
        return ProblemDocument()


def _sentence(problem: ProblemDocument) -> str:
    """The problem's detail and fields, as the end of a line."""
    said = (problem.detail or problem.title).rstrip(".")
    fields = "; ".join(f"{fault.field}: {fault.message.rstrip('.')}" for fault in problem.errors)
    return f"{said} ({fields})" if fields else said


def decoded(reply: Reply) -> object:
    """The JSON of a reply.

    Raises:
        FatalError: it is not JSON.
    """
    try:
        found: object = msgspec.json.decode(reply.content)
    except (ValueError, RecursionError):
        raise FatalError("the service's answer is not JSON") from None
    return found
