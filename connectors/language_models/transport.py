"""HTTP calls of language models: each ends at its deadline, and soon after its caller wants it to stop.

A blocked read of a socket can't be interrupted from another thread, and a coroutine can: the calls run in one event
loop, in a thread of its own, and their callers read from a queue.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from threading import Event
from typing import Final

import httpx
from msgspec import Struct

from core.language_model import ModelError

#: Interval at which a waiting caller checks its deadline and `stop`, in seconds.
_GLANCE_S: Final = 0.05
#: Maximum wait for the rest of a body that isn't read any more, in seconds.
_LEAVE_S: Final = 1.0
_JOIN_S: Final = 5.0
#: Hosts that are reached past the proxies of the environment.
_DIRECT: Final = dict.fromkeys(("all://127.0.0.1", "all://[::1]", "all://localhost"))
_CONNECTIONS: Final = httpx.Limits(max_connections=256, max_keepalive_connections=32, keepalive_expiry=30.0)


class StoppedError(Exception):
    """The caller's `stop` was set. The connection is closed."""


class Bounds(Struct, frozen=True, kw_only=True):
    """When a call ends.

    Attributes:
        deadline: latest end, on time.monotonic().
        idle_s: seconds without a byte after which it has timed out.
        max_bytes: of the reply's body.
        stop: ends the call early.
    """

    deadline: float
    idle_s: float
    max_bytes: int
    stop: Event


class _Head(Struct, frozen=True):
    status: int
    headers: Mapping[str, str]


#: Messages of a call's coroutine to its caller; None is the end of the body.
_Message = _Head | bytes | ModelError | None


class Reply:
    """A reply whose body is still arriving. The caller must `close` it."""

    def __init__(self, call: "_Call", head: _Head) -> None:
        self._call = call
        self.status = head.status
        #: Names are in lower case.
        self.headers = head.headers

    def chunks(self) -> Iterator[bytes]:
        """The body, as it arrives.

        Raises:
            ModelError: it was cut off, is too long, or didn't arrive in time.
            StoppedError: `stop` was set.
        """
        while (message := self._call.next()) is not None:
            if isinstance(message, bytes):
                yield message

    def read(self) -> bytes:
        """The whole body; raises as `chunks` does."""
        return b"".join(self.chunks())

    def leave(self) -> None:
        """Discard the rest of the body; if its end arrives soon, the connection can be reused."""
        self._call.cancel_soon()

    def close(self) -> None:
        """Close the connection, unless the body has ended. Idempotent."""
        self._call.cancel()


class Transport:
    """An HTTP client without redirects and compression. Safe to use from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, client: httpx.AsyncClient) -> None:
        self._loop = loop
        self._client = client

    def post(self, url: str, headers: Mapping[str, str], body: bytes, bounds: Bounds) -> Reply:
        """Send a request and wait for the head of its reply, whatever its status is.

        Raises:
            ModelError: no connection, no reply in time, or not HTTP.
            StoppedError: `stop` was set.
        """
        call = _Call(self._loop, self._client, _Request(url, headers, body), bounds)
        try:
            head = call.next()
        except BaseException:
            call.cancel()
            raise
        assert isinstance(head, _Head)  # noqa: S101 - the coroutine tells it first
        return Reply(call, head)


class _Request(Struct, frozen=True):
    url: str
    headers: Mapping[str, str]
    body: bytes


class _Call:
    """One request, and the queue between its coroutine and its caller."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, client: httpx.AsyncClient, request: _Request, bounds: Bounds
    ) -> None:
        self._loop = loop
        self._client = client
        self._request = request
        self._bounds = bounds
        # bounded by `max_bytes`, so that a slow caller doesn't block the other calls
        self._messages: queue.SimpleQueue[_Message] = queue.SimpleQueue()
        running = self._run()
        try:
            self._future = asyncio.run_coroutine_threadsafe(running, loop)
        except RuntimeError:
            running.close()
            raise ModelError("the process is shutting down", kind="unavailable") from None

    def next(self) -> _Message:
        """The next message, waited for.

        Raises:
            ModelError: the call failed.
            StoppedError: `stop` was set.
        """
        while True:
            if self._bounds.stop.is_set():
                self.cancel()
                raise StoppedError
            left = self._bounds.deadline - time.monotonic()
            try:
                message = self._messages.get(timeout=max(0.0, min(left, _GLANCE_S)))
            except queue.Empty:
                if left <= 0:
                    self.cancel()
                    raise _timed_out() from None
                continue
            if isinstance(message, ModelError):
                raise message
            return message

    def cancel(self) -> None:
        self._future.cancel()

    def cancel_soon(self) -> None:
        with suppress(RuntimeError):  # the loop is closed, and the call has ended
            self._loop.call_soon_threadsafe(self._loop.call_later, _LEAVE_S, self._future.cancel)

    async def _run(self) -> None:
        """Send the request and put the reply into the queue. Never raises; errors are put into the queue too."""
        try:
            async with asyncio.timeout(max(0.0, self._bounds.deadline - time.monotonic())):
                await self._exchange()
            self._messages.put(None)
        except asyncio.CancelledError:
            self._messages.put(ModelError("the call was closed", kind="cut_off"))
            raise
        except ModelError as error:
            self._messages.put(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller must not wait for it
            self._messages.put(_failure(error, self._bounds))

    async def _exchange(self) -> None:
        wanted = self._request
        timeout = httpx.Timeout(self._client.timeout.connect, read=self._bounds.idle_s)
        async with self._client.stream(
            "POST", wanted.url, headers=wanted.headers, content=wanted.body, timeout=timeout
        ) as response:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise ModelError("the reply is compressed, which was not requested", kind="protocol")
            self._messages.put(_Head(response.status_code, dict(response.headers)))
            received = 0
            async for chunk in response.aiter_raw():
                received += len(chunk)
                if received > self._bounds.max_bytes:
                    raise ModelError(f"the reply is longer than {self._bounds.max_bytes:,} bytes", kind="too_long")
                self._messages.put(chunk)


def open_transport(stack: ExitStack, *, connect_timeout_s: float) -> Transport:
    """An HTTP client; `stack` ends its calls and its thread."""
    loop = asyncio.new_event_loop()
    client = httpx.AsyncClient(
        timeout=httpx.Timeout(connect_timeout_s),
        limits=_CONNECTIONS,
        mounts=_DIRECT,
        headers={"accept-encoding": "identity", "user-agent": "ticketstream"},
    )
    thread = threading.Thread(target=loop.run_forever, name="language-models", daemon=True)
    thread.start()

    async def shut() -> None:
        calls = asyncio.all_tasks() - {asyncio.current_task()}
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await client.aclose()

    def close() -> None:
        asyncio.run_coroutine_threadsafe(shut(), loop).result(_JOIN_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_JOIN_S)
        loop.close()

    stack.callback(close)
    return Transport(loop, client)


def _timed_out() -> ModelError:
    return ModelError("the answer didn't end in time", kind="timeout")


def _failure(error: Exception, bounds: Bounds) -> ModelError:
    """`error` of httpx, without its message, which may quote the request."""
    match error:
        case TimeoutError():
            return _timed_out()
        case httpx.ConnectTimeout() | httpx.ConnectError() | httpx.PoolTimeout() | httpx.ProxyError():
            return ModelError("no connection to the server", kind="unavailable")
        case httpx.TimeoutException():
            return ModelError(f"the server sent nothing for {bounds.idle_s:g} s", kind="timeout")
        case httpx.RemoteProtocolError() if "closed" in str(error) or "disconnected" in str(error):
            return ModelError("the server closed the connection before the end", kind="cut_off")
        case httpx.NetworkError():
            return ModelError("the connection broke before the end", kind="cut_off")
    return ModelError(f"the reply isn't HTTP ({type(error).__name__})", kind="protocol")
