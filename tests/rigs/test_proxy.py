"""Each fault of the proxy affects connections as documented."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.rigs.proxy import Proxy
from tests.rigs.waiting import PATIENCE_S, wait_until


class _Echo:
    """An echo server."""

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
    """Whether no byte, FIN or RST arrives within 0.3 s."""
    client.settimeout(0.3)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(PATIENCE_S)
    return False


def test_data_and_fin_pass_without_faults(proxy: Proxy) -> None:
    """Ten megabytes are echoed unchanged, and FIN passes in both directions."""
    sent = bytes(range(256)) * 40_000
    with _connect(proxy) as client:
        threading.Thread(target=_send_and_end, args=(client, sent), daemon=True).start()
        assert _receive(client, len(sent)) == sent
        assert client.recv(1) == b""
    wait_until(lambda: proxy.forwarded == {"to_server": len(sent), "to_client": len(sent)})


def test_latency_delays_each_way_and_keeps_the_throughput(proxy: Proxy) -> None:
    """At a latency of 0.1 s an echo takes 0.2 s, and five megabytes aren't delayed once per chunk."""
    proxy.latency(0.1)
    sent = bytes(5_000_000)
    with _connect(proxy) as client:
        assert _echo_s(client, b"x") >= 0.2
        assert 0.2 <= _echo_s(client, sent) < 0.1 * len(sent) / 16_384
        proxy.heal()
        assert any(_echo_s(client, b"x") < 0.2 for _ in range(20)), "it is late still"


def test_connections_share_the_bandwidth(proxy: Proxy) -> None:
    """Two connections with 100 kB each take half a second at 400 kB/s."""
    proxy.limit(400_000)
    began = time.monotonic()
    with _connect(proxy) as one, _connect(proxy) as two:
        for client in (one, two):
            client.sendall(bytes(100_000))
        for client in (one, two):
            assert len(_receive(client, 100_000)) == 100_000
    assert time.monotonic() - began >= 0.45


def test_a_reset_breaks_open_connections_and_serves_new_ones(proxy: Proxy) -> None:
    """After `reset` the client's next read raises, and a new connection is served."""
    with _connect(proxy) as client:
        assert _echoes(client)
        assert proxy.reset() == 1
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with _connect(proxy) as client:
        assert _echoes(client)


def test_a_half_open_connection_is_accepted_and_not_forwarded(proxy: Proxy, echo: _Echo) -> None:
    """While half open, old and new connections are silent; bytes sent meanwhile arrive after `heal`."""
    with _connect(proxy) as old:
        assert _echoes(old)
        proxy.half_open()
        with _connect(proxy) as new:
            for client in (old, new):
                client.sendall(b"hello")
                assert _is_silent(client)
            assert echo.accepted == 1, "the new connection doesn't reach the server"
            proxy.heal()
            assert [_receive(client, 5) for client in (old, new)] == [b"hello", b"hello"]


def test_one_direction_is_cut(proxy: Proxy) -> None:
    """With one direction cut, only that direction is blocked until `heal`."""
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


def test_a_closed_port_opens_again_at_the_same_address(proxy: Proxy) -> None:
    """`refuse` breaks connections and closes the port; `heal` reopens it."""
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


def test_a_server_that_is_down_breaks_the_connection() -> None:
    """If the server is down, connecting to the proxy succeeds and the connection is reset."""
    with Proxy("127.0.0.1:1") as proxy, pytest.raises(ConnectionResetError), _connect(proxy) as client:
        client.recv(1)


def test_connections_are_counted_and_forgotten(proxy: Proxy) -> None:
    """`connections` counts open connections only, `accepted` all."""
    with _connect(proxy) as client:
        assert _echoes(client)
        assert proxy.connections == 1
    wait_until(lambda: proxy.connections == 0)
    assert proxy.accepted == 1
