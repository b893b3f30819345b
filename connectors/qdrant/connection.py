"""The way to a Qdrant server: its client, and its errors as ours."""

import warnings
from typing import Final
from urllib.parse import urlsplit

import grpc
from qdrant_client import QdrantClient

from core.errors import ConfigError, FatalError, TicketstreamError, TransientError
from core.settings import IndexSettings

_GRPC_PORT: Final = 6334
_CODE: Final = grpc.StatusCode
_REFUSED: Final = {_CODE.UNAUTHENTICATED, _CODE.PERMISSION_DENIED}
#: The request itself is at fault: in a write that is a point of it.
BAD_REQUEST: Final = {_CODE.INVALID_ARGUMENT, _CODE.OUT_OF_RANGE}
#: Waiting doesn't mend these. Anything else may be a server that restarts, moves a shard or is out of memory.
_FINAL: Final = BAD_REQUEST | {_CODE.NOT_FOUND, _CODE.UNIMPLEMENTED, _CODE.FAILED_PRECONDITION}
#: Fewer calls at once may pass.
_OVERLOAD: Final = {_CODE.RESOURCE_EXHAUSTED, _CODE.DEADLINE_EXCEEDED}
#: The transport's own pause between attempts to connect grows to two minutes, in which every call fails at once: an
#: index that is back would not be noticed.
_RECONNECT: Final = {
    "grpc.initial_reconnect_backoff_ms": 200,
    "grpc.min_reconnect_backoff_ms": 1_000,
    "grpc.max_reconnect_backoff_ms": 1_000,
}


def connect(settings: IndexSettings) -> QdrantClient:
    address = urlsplit(settings.url or "")
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise ConfigError(f"TICKETS_INDEX__URL: {settings.url!r} is no URL such as http://localhost:6334")
    try:
        port = address.port or _GRPC_PORT
    except ValueError:
        raise ConfigError(f"TICKETS_INDEX__URL: {settings.url!r} has no valid port") from None
    with warnings.catch_warnings():  # a key over plain HTTP is the user's choice; their log is JSON
        warnings.simplefilter("ignore", UserWarning)
        return _client(settings, address.hostname, port, https=address.scheme == "https")


def _client(settings: IndexSettings, host: str, port: int, *, https: bool) -> QdrantClient:
    return QdrantClient(
        host=host,
        grpc_port=port,
        prefer_grpc=True,
        https=https,
        api_key=settings.api_key.get_secret_value() if settings.api_key else None,
        timeout=max(1, round(settings.timeout_s)),
        grpc_options=_RECONNECT,
        check_compatibility=False,  # it would ask over REST, whose port we are not told
    )


def translate(error: grpc.RpcError, url: str, *, quoting: bool = True) -> TicketstreamError:
    """`error` as one of ours; with the server's own words where `quoting`: of a write they may quote the ticket."""
    code = error.code()
    said = code.name.lower()
    if quoting:
        details = (error.details() or "").splitlines()
        said += f": {details[0][:200] if details else 'no details'}"
    if code in _REFUSED:
        return ConfigError(f"the Qdrant server at {url} refuses us ({said}); look at TICKETS_INDEX__API_KEY")
    return FatalError(f"the index: {said}") if code in _FINAL else TransientError(said, overload=code in _OVERLOAD)
