"""Asking a worker that ends in the middle of its answer."""

import socket
import threading

import pytest

from connectors.qdrant.ownership import Owner
from core.errors import UnavailableError
from core.records import SearchQuery
from runtime.control import WorkerClient


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n[{",
        b"HTTP/1.0 200 OK\r\n\r\n[{",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTT",
        b"",
    ],
)
def test_half_an_answer_is_told_as_such(answer: bytes) -> None:
    """In one line, for a person who asked while the worker was killed; no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def break_off() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        threading.Thread(target=break_off, daemon=True).start()
        worker = WorkerClient(Owner(7, f"http://127.0.0.1:{listener.getsockname()[1]}", "token"), timeout_s=5)
        with pytest.raises(UnavailableError, match=r"the worker \(process 7\) (broke off|does not answer)"):
            worker.search("text", SearchQuery(tenant_id="acme"))
