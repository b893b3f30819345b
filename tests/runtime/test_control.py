"""The client of a worker's control API, if the worker refuses a request or ends in the middle of an answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.qdrant.lock import Owner, take_lock
from core.errors import ConfigError, NoTicketError, TransientError, UnavailableError
from core.index import SearchQuery
from core.settings import IndexSettings
from runtime import control
from runtime.control import WorkerClient
from runtime.searcher import find_worker
from search.result import Answer


@contextmanager
def _worker(*answers: bytes, timeout_s: float = 5) -> Iterator[WorkerClient]:
    """A client of a worker that sends an answer to each request and closes the connection; then it stops listening."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_all() -> None:
            for answer in answers:
                connection, _address = listener.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(answer)

        threading.Thread(target=answer_all, daemon=True).start()
        yield WorkerClient(Owner(7, f"http://127.0.0.1:{listener.getsockname()[1]}", "token"), timeout_s=timeout_s)


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


def test_a_worker_that_has_ended_is_asked_nothing(tmp_path: Path) -> None:
    """Another user who took its port would get the question and the token, and could choose the answer."""
    settings = IndexSettings(path=tmp_path / "index")
    lock = take_lock(settings.path)
    with socket.create_server(("127.0.0.1", 0)) as impostor:
        lock.announce(f"http://127.0.0.1:{impostor.getsockname()[1]}", "token")
        worker = find_worker(settings)
        assert worker is not None
        lock.release()
        with pytest.raises(UnavailableError, match=r"process [0-9]+\) does not answer: it has ended"):
            worker.search("secret", SearchQuery(tenant_id="acme"))
        impostor.setblocking(False)
        with pytest.raises(BlockingIOError):
            impostor.accept()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b'HTTP/1.0 503 Service Unavailable\r\nContent-Length: 21\r\n\r\n{"error":"index out"}', "index out"),
        (b'HTTP/1.0 503 Service Unavailable\r\nContent-Length: 21\r\n\r\n{"err', "HTTP Error 503"),
        (b'HTTP/1.0 500 Internal Server Error\r\nContent-Length: 15\r\n\r\n{"error":"bug"}', "bug"),
    ],
)
def test_a_refusal_quotes_the_workers_reason(answer: bytes, reason: str) -> None:
    """A refused request raises an error with the worker's reason, or with the status where the reason is cut off.

    It is transient: the worker is there, so others' requests need no new one.
    """
    with (
        _worker(answer) as worker,
        pytest.raises(TransientError, match=rf"\(process 7\) rejected the request: {reason}"),
    ):
        worker.status()


def test_no_proxy_gets_the_workers_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker is asked directly, whatever proxy the environment names."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with _worker(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}") as worker:
        assert worker.search("text", SearchQuery(tenant_id="acme")) == Answer()


def test_a_worker_with_another_token_is_lost() -> None:
    """A worker that has taken the place and the port of another refuses its token, and must be looked up again."""
    answer = b'HTTP/1.0 401 Unauthorized\r\nContent-Length: 17\r\n\r\n{"error":"token"}'
    with _worker(answer) as worker, pytest.raises(UnavailableError, match="rejected the request: token"):
        worker.status()


@pytest.mark.parametrize(("status", "error"), [(b"400 Bad Request", ConfigError), (b"410 Gone", NoTicketError)])
def test_a_mistake_that_the_worker_finds_is_the_users(status: bytes, error: type[Exception]) -> None:
    """A wrong filter or ticket id is the same error as without a worker."""
    answer = b'HTTP/1.0 %s\r\nContent-Length: 15\r\n\r\n{"error":"why"}' % status
    with _worker(answer) as worker, pytest.raises(error, match=r"^why$"):
        worker.similar("T-1", SearchQuery(tenant_id="acme"))


_BUSY = b'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 16\r\n\r\n{"error":"busy"}'


def test_a_busy_worker_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that a worker has no room for is sent again, until the timeout; then the error has its reason."""
    monkeypatch.setattr(control, "_RETRY_S", 0.2)
    with _worker(_BUSY, _BUSY, b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}") as worker:
        assert worker.search("text", SearchQuery(tenant_id="acme")) == Answer()
    with (
        _worker(*[_BUSY] * 9, timeout_s=0.5) as worker,
        pytest.raises(TransientError, match="rejected the request: busy"),
    ):
        worker.search("text", SearchQuery(tenant_id="acme"))


@pytest.mark.parametrize(("text", "words"), [("x" * 10_001, "has 10,001 characters"), ("\udcff", "not valid Unicode")])
def test_a_question_out_of_bounds_is_not_sent(text: str, words: str) -> None:
    """The error is one line, and the worker is not asked."""
    with pytest.raises(ConfigError, match=words):
        WorkerClient(Owner(7, "http://127.0.0.1:1", "token"), timeout_s=5).search(text, SearchQuery(tenant_id="acme"))


def test_a_request_that_is_too_large_for_a_worker_is_not_sent() -> None:
    """Many long filters, each of which is allowed, are a mistake of the user and no outage of the worker."""
    values = tuple(f"{number:0128d}" for number in range(100))
    query = SearchQuery(
        tenant_id="acme",
        status=values,
        category=values,
        language=values,
        channel=values,
        priority=values,
        customer_id=values,
    )
    with pytest.raises(ConfigError, match=r"more than the 65,536 a worker takes; give fewer filters"):
        WorkerClient(Owner(7, "http://127.0.0.1:1", "token"), timeout_s=5).search("why", query)
