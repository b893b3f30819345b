"""A connection to a Qdrant server, which raises the server's errors as ours."""

import warnings
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final, TypeVar
from urllib.parse import urlsplit

import grpc
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse

from core.addresses import Address
from core.errors import ConfigError, FatalError, RefusedError, TicketstreamError, TransientError, UnavailableError
from core.settings import IndexSettings

T = TypeVar("T")

_GRPC_PORT: Final = 6334
_CODE: Final = grpc.StatusCode
_DENIED: Final = {_CODE.UNAUTHENTICATED, _CODE.PERMISSION_DENIED}
#: The request is invalid, or a point of a write.
_BAD_REQUEST: Final = {_CODE.INVALID_ARGUMENT, _CODE.OUT_OF_RANGE}
#: Not retriable. Any other code may come from a server that restarts, moves a shard or is out of memory.
_FINAL: Final = _BAD_REQUEST | {_CODE.NOT_FOUND, _CODE.UNIMPLEMENTED, _CODE.FAILED_PRECONDITION}
#: The call may succeed with fewer concurrent calls.
_OVERLOAD: Final = {_CODE.RESOURCE_EXHAUSTED, _CODE.DEADLINE_EXCEEDED}
#: By default gRPC waits up to two minutes before it reconnects, and all calls fail in the meantime although the server
#: may be back.
_RECONNECT: Final = {"grpc.initial_reconnect_backoff_ms": 200, "grpc.max_reconnect_backoff_ms": 1_000}
#: By default gRPC uses a proxy of the environment even for a server on this machine.
_NO_PROXY: Final = {"grpc.enable_http_proxy": 0}
#: gRPC's timeout of an attempt to connect, despite the option's name.
_CONNECT_TIMEOUT: Final = "grpc.min_reconnect_backoff_ms"


class Connection:
    """A client of the server at `url`."""

    def __init__(self, client: QdrantClient, url: Address) -> None:
        self._client = client
        self.url = url

    def ask(self, call: Callable[[QdrantClient], T], *, writing: bool = False) -> T:
        """The result of `call`. Errors of writes leave out the server's message, which may quote a ticket.

        Raises:
            TransientError: an outage or an overload.
            RefusedError: the server rejects the points of a write.
            ConfigError: the server denies access.
            FatalError: the request can't succeed.
        """
        try:
            return call(self._client)
        except ResourceExhaustedResponse as error:
            raise TransientError(
                "the server is overloaded", retry_after_s=float(error.retry_after_s), overload=True
            ) from None
        except grpc.RpcError as error:
            raise _translated(error, self.url, writing=writing) from None

    def ask_at_start(self, call: Callable[[QdrantClient], T]) -> T:
        """Like `ask`, for a process that ends if the server doesn't answer.

        Raises:
            UnavailableError: the server doesn't answer.
            ConfigError: the server denies access.
            FatalError: the request can't succeed.
        """
        try:
            return self.ask(call)
        except TransientError as error:
            raise UnavailableError(
                f"no Qdrant server answers at {self.url} ({error}); check TICKETS_INDEX__URL (the gRPC port is "
                f"{_GRPC_PORT})"
            ) from None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def open_connection(settings: IndexSettings) -> Connection:
    """A connection to the server in the settings; it connects with the first call.

    Raises:
        ConfigError: the setting is not a URL, or the API key can't be sent.
    """
    url = Address(settings.url or "")
    try:
        address = urlsplit(url)
        host, port = address.hostname, address.port or _GRPC_PORT
    except ValueError:  # its message may quote a password
        raise ConfigError(f"TICKETS_INDEX__URL: {url!r} has no valid host and port") from None
    if address.scheme not in {"http", "https"} or not host:
        raise ConfigError(f"TICKETS_INDEX__URL: {url!r} is not a URL like http://localhost:{_GRPC_PORT}")
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    if not (key.isascii() and key.isprintable()):  # gRPC would quote it in an error
        raise ConfigError("TICKETS_INDEX__API_KEY contains characters that no API key has; copy the key again")
    with warnings.catch_warnings():  # a warning of an API key over plain HTTP would break the JSON log
        warnings.simplefilter("ignore", UserWarning)
        return Connection(_client(settings, host, port, https=address.scheme == "https"), url)


def _client(settings: IndexSettings, host: str, port: int, *, https: bool) -> QdrantClient:
    timeout_s = max(1, round(settings.timeout_s))
    return QdrantClient(
        host=host,
        grpc_port=port,
        prefer_grpc=True,
        https=https,
        api_key=settings.api_key.get_secret_value() if settings.api_key else None,
        timeout=timeout_s,
        grpc_options=_RECONNECT | {_CONNECT_TIMEOUT: timeout_s * 1_000} | (_NO_PROXY if _is_loopback(host) else {}),
        check_compatibility=False,  # the check uses REST, whose port isn't configured
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _translated(error: grpc.RpcError, url: str, *, writing: bool) -> TicketstreamError:
    code = error.code()
    name = code.name.lower()
    if writing and code in _BAD_REQUEST:
        return RefusedError(f"the index rejects the points ({name})")
    details = (error.details() or "").splitlines()
    message = name if writing else f"{name}: {details[0][:200] if details else 'no details'}"
    if code in _DENIED:
        return ConfigError(f"the Qdrant server at {url} denies access ({message}); check TICKETS_INDEX__API_KEY")
    return (
        FatalError(f"the index: {message}") if code in _FINAL else TransientError(message, overload=code in _OVERLOAD)
    )
