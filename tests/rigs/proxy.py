"""A TCP proxy on loopback whose faults can be changed while it runs.

It forwards bytes of any protocol. Delayed bytes are never lost: a direction that was cut continues where it stopped.
"""

import asyncio
import socket
import struct
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, Literal, Self, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from tests.rigs.waiting import PATIENCE_S

T = TypeVar("T")
Direction = Literal["to_server", "to_client"]

_CHUNK: Final = 16_384
#: Chunks in flight in one direction of a connection. At this number the proxy stops reading from the sender.
_IN_FLIGHT: Final = 64
#: SO_LINGER of zero seconds: closing sends RST and drops unsent data.
_AT_ONCE: Final = struct.pack("ii", 1, 0)


class Network(Struct, frozen=True):
    """Faults of the proxy. In each direction the connections share `bytes_per_s`."""

    latency_s: float = 0.0
    bytes_per_s: float | None = None
    cut: frozenset[Direction] = frozenset()
    accepts: bool = True  # False: connections are accepted and not forwarded


class Proxy:
    """Listens in its own thread from construction to `close`. Every method may be called from any thread."""

    def __init__(self, target: str, *, port: int = 0) -> None:
        """Forward to `target`, host:port, which need not listen yet. `port` 0 picks a free one."""
        host, _, target_port = target.rpartition(":")
        self._target = (host, int(target_port))
        self._network = Network()
        self._turn = asyncio.Event()
        self._free_at: dict[Direction, float] = {"to_server": 0.0, "to_client": 0.0}
        self._pairs: dict[asyncio.Task[None], list[StreamWriter]] = {}
        self._server: asyncio.Server | None = None
        self.port = port
        self.accepted = 0
        self.forwarded: dict[Direction, int] = {"to_server": 0, "to_client": 0}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._do(self._listen())

    @property
    def address(self) -> str:
        """The address that a client connects to."""
        return f"127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """Number of open connections."""
        return len(self._pairs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def latency(self, seconds: float) -> None:
        """Delay every byte by `seconds` in each direction, without reducing throughput."""
        self._change(latency_s=seconds)

    def limit(self, bytes_per_s: float | None) -> None:
        """Limit the bandwidth; None removes the limit."""
        self._change(bytes_per_s=bytes_per_s)

    def cut(self, *directions: Direction) -> None:
        """Block data and FIN in these directions until `heal`; connections stay open."""
        self._change(cut=frozenset(directions))

    def half_open(self) -> None:
        """Block existing connections both ways, and accept new ones without forwarding them, until `heal`."""
        self._change(cut=frozenset({"to_server", "to_client"}), accepts=False)

    def reset(self) -> int:
        """Break every open connection by RST on both sides, and return their number; new ones are served."""
        return self._do(self._break())

    def refuse(self) -> None:
        """Close the port and break the connections, until `heal`."""
        self._do(self._shut())

    def heal(self) -> None:
        """Remove all faults."""
        self._change(**{name: getattr(Network(), name) for name in Network.__struct_fields__})
        self._do(self._listen())

    def close(self) -> None:
        """Break the connections, close the port and end the thread. Idempotent."""
        if self._thread.is_alive():
            self._do(self._shut())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(PATIENCE_S)
            self._loop.close()

    def _do(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(PATIENCE_S)

    def _change(self, **changes: Any) -> None:
        async def apply() -> None:
            self._network = replace(self._network, **changes)
            self._turn.set()
            self._turn = asyncio.Event()

        self._do(apply())

    # --- on the loop

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=_CHUNK)
            self.port = int(self._server.sockets[0].getsockname()[1])

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()  # without wait_closed, which would wait for the connections
            self._server = None
        await self._break()

    async def _break(self) -> int:
        pairs = dict(self._pairs)
        for task, writers in pairs.items():
            for writer in writers:
                _reset(writer)
            task.cancel()
        await asyncio.gather(*pairs, return_exceptions=True)
        return len(pairs)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        writers = self._pairs[task] = [writer]
        self.accepted += 1
        try:
            await self._until(lambda network: network.accepts)
            far_reader, far_writer = await asyncio.open_connection(*self._target, limit=_CHUNK)
            writers.append(far_writer)
            await _together(self._carry(reader, far_writer, "to_server"), self._carry(far_reader, writer, "to_client"))
        except OSError:  # the server doesn't listen, or one side broke off: break the other side too
            for end in writers:
                _reset(end)
        except asyncio.CancelledError:
            pass  # by _break
        finally:
            for end in writers:
                end.close()
            del self._pairs[task]

    async def _carry(self, reader: StreamReader, writer: StreamWriter, direction: Direction) -> None:
        line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_IN_FLIGHT)

        async def fill() -> None:
            data = b"-"
            while data:
                data = await reader.read(_CHUNK)
                await line.put((self._loop.time() + self._network.latency_s, data))

        async def empty() -> None:
            while True:
                due, data = await line.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                await self._until(lambda network: direction not in network.cut)
                await self._pace(len(data), direction)
                if not data:
                    with suppress(OSError):
                        writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()
                self.forwarded[direction] += len(data)

        await _together(fill(), empty())

    async def _pace(self, size: int, direction: Direction) -> None:
        rate = self._network.bytes_per_s
        if rate is not None:
            now = self._loop.time()
            self._free_at[direction] = max(now, self._free_at[direction]) + size / rate
            await asyncio.sleep(self._free_at[direction] - now)

    async def _until(self, passes: Callable[[Network], bool]) -> None:
        while not passes(self._network):
            await self._turn.wait()


async def _together(*parts: Coroutine[Any, Any, None]) -> None:
    """Run all `parts`; the first error cancels the others and is raised."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _reset(writer: StreamWriter) -> None:
    """Close by RST."""
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()
