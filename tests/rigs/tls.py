"""A TLS endpoint in front of a server that speaks plain TCP."""

import asyncio
import ssl
import threading
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from typing import Self

from tests.rigs.certificates import Certificate
from tests.rigs.waiting import PATIENCE_S


class TlsEndpoint:
    """Listens on loopback in a thread of its own while it is entered. Connections are decrypted and forwarded."""

    def __init__(self, target: str, own: Certificate) -> None:
        """Forward to `target`, host:port, under the certificate `own`."""
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(own.certificate, own.key)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tls", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self.address = ""

    def __enter__(self) -> Self:
        self._thread.start()
        listening = asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(PATIENCE_S)
        self._server = server
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with suppress(OSError, asyncio.CancelledError):
            inner_reader, inner_writer = await asyncio.open_connection(*self._target)
            await asyncio.gather(_carry(reader, inner_writer), _carry(inner_reader, writer))
        self._tasks.discard(task)


async def _carry(reader: StreamReader, writer: StreamWriter) -> None:
    try:
        while block := await reader.read(65_536):
            writer.write(block)
            await writer.drain()
    finally:
        writer.close()
