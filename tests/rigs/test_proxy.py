"""The proxy does to a connection what it says, and nothing else."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.rigs.proxy import Proxy
from tests.rigs.waiting import PATIENCE_S, wait_until


class _Echo:
    """Sends back whatever comes, until its client ends."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.accepted = 0
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with closing(connection):
            try:
                while data := connection.recv(65_536):
                    connection.sendall(data)
            except OSError:
                return

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def echo() -> Iterator[_Echo]:
    with closing(_Echo()) as server:
        yield server


@pytest.fixture
def proxy(echo: _Echo) -> Iterator[Proxy]:
    with Proxy(echo.address) as served:
        yield served


def _connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE_S)


def _send_and_end(client: socket.socket, text: bytes) -> None:
    client.sendall(text)
    client.shutdown(socket.SHUT_WR)


def _receive(client: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size and (data := client.recv(size - len(found))):
        found += data
    return found


def _echoes(client: socket.socket, text: bytes = b"hello") -> bool:
    client.sendall(text)
    return _receive(client, len(text)) == text


def _echo_s(client: socket.socket, text: bytes) -> float:
    """Seconds until all of `text` has come back."""
    began = time.monotonic()
    threading.Thread(target=client.sendall, args=(text,), daemon=True).start()
    assert len(_receive(client, len(text))) == len(text)
    return time.monotonic() - began


def _is_silent(client: socket.socket) -> bool:
    """No byte, no end and no reset within 0.3 s."""
    client.settimeout(0.3)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(PATIENCE_S)
    return False


def test_a_wire_passes_everything_and_the_end(proxy: Proxy) -> None:
    """Ten megabytes come back as they went; our end reaches the server and its end reaches us."""
    sent = bytes(range(256)) * 40_000
    with _connect(proxy) as client:
        threading.Thread(target=_send_and_end, args=(client, sent), daemon=True).start()
        assert _receive(client, len(sent)) == sent
        assert client.recv(1) == b""
    wait_until(lambda: proxy.forwarded == {"to_server": len(sent), "to_client": len(sent)})


def test_latency_delays_each_way_and_narrows_nothing(proxy: Proxy) -> None:
    """An echo takes 0.2 s at a latency of 0.1 s, and five megabytes less than a delay of each chunk would add up to."""
    proxy.latency(0.1)
    sent = bytes(5_000_000)
    with _connect(proxy) as client:
        assert _echo_s(client, b"x") >= 0.2
        assert 0.2 <= _echo_s(client, sent) < 0.1 * len(sent) / 16_384
        proxy.heal()
        assert any(_echo_s(client, b"x") < 0.2 for _ in range(20)), "it is late still"


def test_a_narrow_link_takes_its_time(proxy: Proxy) -> None:
    """200 kB at 400 kB/s take half a second, whatever the number of connections."""
    proxy.limit(400_000)
    began = time.monotonic()
    with _connect(proxy) as one, _connect(proxy) as two:
        for client in (one, two):
            client.sendall(bytes(100_000))
        for client in (one, two):
            assert len(_receive(client, 100_000)) == 100_000
    assert time.monotonic() - began >= 0.45


def test_a_reset_breaks_what_there_is_and_serves_the_next(proxy: Proxy) -> None:
    """RST and not an orderly end: the client's next read raises."""
    with _connect(proxy) as client:
        assert _echoes(client)
        assert proxy.reset() == 1
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with _connect(proxy) as client:
        assert _echoes(client)


def test_a_half_open_connection_is_accepted_and_leads_nowhere(proxy: Proxy, echo: _Echo) -> None:
    """The connect succeeds, then silence, for old connections too; what was sent meanwhile arrives after the heal."""
    with _connect(proxy) as old:
        assert _echoes(old)
        proxy.half_open()
        with _connect(proxy) as new:
            for client in (old, new):
                client.sendall(b"hello")
                assert _is_silent(client)
            assert echo.accepted == 1, "the server never hears of the new one"
            proxy.heal()
            assert [_receive(client, 5) for client in (old, new)] == [b"hello", b"hello"]


def test_one_direction_is_cut(proxy: Proxy) -> None:
    """Requests pass and answers wait for the heal; or requests wait for it."""
    with _connect(proxy) as client:
        proxy.cut("to_client")
        client.sendall(b"hello")
        assert _is_silent(client)
        wait_until(lambda: proxy.forwarded == {"to_server": 5, "to_client": 0})
        proxy.heal()
        assert _receive(client, 5) == b"hello"
        proxy.cut("to_server")
        client.sendall(b"again")
        assert _is_silent(client)
        wait_until(lambda: proxy.forwarded == {"to_server": 5, "to_client": 5})
        proxy.heal()
        assert _receive(client, 5) == b"again"


def test_a_closed_port_refuses_and_opens_again_where_it_was(proxy: Proxy) -> None:
    """The connections there were are broken; nobody listens; after the heal the same address serves."""
    with _connect(proxy) as client:
        assert _echoes(client)
        proxy.refuse()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        _connect(proxy)
    proxy.heal()
    with _connect(proxy) as client:
        assert _echoes(client)


def test_a_server_that_is_not_there_breaks_the_connection() -> None:
    """As the client would see it without a proxy, but for one connect."""
    with Proxy("127.0.0.1:1") as proxy, pytest.raises(ConnectionResetError), _connect(proxy) as client:
        client.recv(1)


def test_connections_are_counted_and_forgotten(proxy: Proxy) -> None:
    """One while it lasts, none after."""
    with _connect(proxy) as client:
        assert _echoes(client)
        assert proxy.connections == 1
    wait_until(lambda: proxy.connections == 0)
    assert proxy.accepted == 1
