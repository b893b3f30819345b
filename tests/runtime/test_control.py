"""The client of a worker's control API, when the worker refuses or ends in the middle of its answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connectors.qdrant.lock import Owner
from core.errors import UnavailableError
from core.records import SearchQuery
from runtime.control import WorkerClient


@contextmanager
def _worker(answer: bytes) -> Iterator[WorkerClient]:
    """A client of a worker that sends `answer` and closes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def break_off() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        threading.Thread(target=break_off, daemon=True).start()
        yield WorkerClient(Owner(7, f"http://127.0.0.1:{listener.getsockname()[1]}", "token"), timeout_s=5)


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
def test_an_answer_that_breaks_off_is_a_one_line_error(answer: bytes) -> None:
    """A worker that is killed while it answers gives a one-line error, not a traceback."""
    with (
        _worker(answer) as worker,
        pytest.raises(UnavailableError, match=r"process 7\) (closed the connection|does not answer)"),
    ):
        worker.search("text", SearchQuery(tenant_id="acme"))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b'HTTP/1.0 503 Service Unavailable\r\nContent-Length: 21\r\n\r\n{"error":"index out"}', "index out"),
        (b'HTTP/1.0 503 Service Unavailable\r\nContent-Length: 21\r\n\r\n{"err', "HTTP Error 503"),
    ],
)
def test_a_refusal_quotes_the_workers_reason(answer: bytes, reason: str) -> None:
    """A refused request raises an error with the worker's reason, or with the status where the reason is cut off."""
    with (
        _worker(answer) as worker,
        pytest.raises(UnavailableError, match=rf"\(process 7\) rejected the request: {reason}"),
    ):
        worker.status()
