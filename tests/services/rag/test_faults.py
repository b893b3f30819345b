"""The RAG service while the index, a writer or the feedback store fails, and under too many requests."""

import json
import socket
import threading
from collections.abc import Generator
from contextlib import ExitStack

import httpx
import pytest

from answers.evidence import Evidence
from answers.writer import Asked, Draft, Written
from core.errors import OtherModelError, TransientError, UnavailableError
from core.index import SearchQuery
from core.service_settings import RagSettings
from runtime.searcher import IndexSearcher
from search.result import Answer
from services.http.problems import MEDIA_TYPE
from services.http.server import open_asgi_server
from services.rag.app import rag_app
from services.rag.pulling import open_pool
from services.rag.routes import Service
from tests.rigs.waiting import PATIENCE_S, wait_until
from tests.services.rag.asking import ANSWERS, SEARCH, STREAM, ask, text_of, vote
from tests.services.rag.world import FIX, QUESTION, RagWorld, events_of


class _Broken(IndexSearcher):
    """A searcher that raises `fault` if it is set, and may wait."""

    def __init__(self, world: RagWorld) -> None:
        super().__init__(index=world.index, embedder=world.embedder)
        self.fault: Exception | None = None
        self.release: threading.Event | None = None

    def search(self, text: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        if self.release is not None:
            self.release.wait(PATIENCE_S)
        if self.fault is not None:
            raise self.fault
        return super().search(text, query, plain=plain)


@pytest.mark.parametrize(
    "fault", [TransientError("secret host is out"), UnavailableError("worker 7 is gone"), OtherModelError("secret")]
)
@pytest.mark.parametrize("headers", [{}, STREAM])
def test_without_an_index_the_answer_is_a_503(world: RagWorld, fault: Exception, headers: dict[str, str]) -> None:
    """Without an index a question gets a 503 that says when to try again and names no host of ours."""
    searcher = _Broken(world)
    searcher.fault = fault
    with world.client(world.answering(searcher=searcher)) as client:
        for path in (SEARCH, ANSWERS):
            answer = client.post(path, json={"question": QUESTION}, headers=headers)
            assert (answer.status_code, answer.headers["content-type"]) == (503, MEDIA_TYPE)
            assert answer.headers["Retry-After"]
            assert "secret" not in answer.text
        world.fault = "no worker"
        assert client.get("/ready").status_code == 503
        assert client.get("/health").status_code == 200


@pytest.mark.parametrize("path", [SEARCH, ANSWERS])
def test_an_answer_that_takes_too_long_is_a_504(world: RagWorld, path: str) -> None:
    """An answer that takes too long gets a 504 at the deadline, even if the index still hangs."""
    searcher = _Broken(world)
    searcher.release = threading.Event()
    with world.client(world.answering(searcher=searcher), rag=RagSettings(timeout_s=0.2)) as client:
        answer = client.post(path, json={"question": QUESTION})
        searcher.release.set()
    assert answer.status_code == 504


def test_too_many_requests_are_answered_with_503(world: RagWorld) -> None:
    """A request beyond the limits gets a 503 at once that says when to try again; the others are answered."""
    searcher = _Broken(world)
    searcher.release = threading.Event()
    rag = RagSettings(max_concurrent=1, max_waiting=1)
    statuses: list[int] = []
    with world.client(world.answering(searcher=searcher), rag=rag) as client:

        def ask() -> None:
            statuses.append(client.post(SEARCH, json={"question": QUESTION}).status_code)

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        wait_until(lambda: statuses.count(503) >= 4)
        searcher.release.set()
        for thread in threads:
            thread.join()
        assert client.post(SEARCH, json={"question": QUESTION}).status_code == 200
    assert 200 in statuses
    assert world.metric("tickets_http_refused_total", server="rag") >= 4


def test_a_stream_that_fails_ends_without_done(world: RagWorld) -> None:
    """An outage in the middle of a stream is a `problem` event, and there is no `done`."""

    class Dying:
        name = "dying"

        def write(self, asked: Asked, evidence: Evidence, stop: threading.Event) -> Generator[Written, None, None]:
            del asked, stop
            yield Draft(evidence.sources[0].text, (1,))
            raise TransientError("secret host is out")

    with world.client(world.answering(writers=[Dying()])) as client:
        events = events_of(client.post(ANSWERS, json={"question": QUESTION}, headers=STREAM).text)
    assert [name for name, _ in events] == ["sources", "sentence", "problem"]
    assert (events[-1][1]["status"], "secret" in str(events[-1][1])) == (503, False)
    wait_until(lambda: world.metric("tickets_answers_total", writer="none", outcome="failed") == 1)


def test_feedback_that_cant_be_kept_costs_no_answer(world: RagWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an outage of the feedback store questions are answered, and a search ranks without usefulness."""

    def out(*_args: object) -> None:
        raise TransientError("the disk is full")

    monkeypatch.setattr(world.feedback, "remember", out)
    monkeypatch.setattr(world.feedback, "votes", out)
    with world.client() as client:
        answer = ask(client)
        assert FIX in text_of(answer)
        assert client.post(SEARCH, json={"question": "SYNC-4711"}).status_code == 200
        monkeypatch.setattr(world.feedback, "answer", out)
        assert vote(client, answer["answer_id"], verdict="sent") == 503


def test_clients_that_read_nothing_take_no_place_from_others(world: RagWorld) -> None:
    """Many clients that ask for streams and read nothing don't delay the answers of others."""
    settings = RagSettings(max_concurrent=2, max_waiting=8)
    with ExitStack() as stack:
        pool = open_pool(stack, threads=settings.max_concurrent, timeout_s=settings.timeout_s)
        app = rag_app(
            Service(world.answering(), pool),
            settings,
            authenticator=world.issuer.authenticator(world.telemetry),
            ready=lambda: None,
            warn=lambda: None,
        )
        port = open_asgi_server(app, stack, host="127.0.0.1", port=0, setting="TEST").port
        token = world.issuer.headers(world.acme)["Authorization"]
        body = json.dumps({"question": QUESTION})
        head = f"POST {ANSWERS} HTTP/1.1\r\nHost: a\r\nAuthorization: {token}\r\nAccept: text/event-stream\r\n"
        asked = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        for _ in range(6):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            slow.sendall(asked)
        for _ in range(3):
            answer = httpx.post(
                f"http://127.0.0.1:{port}{ANSWERS}",
                content=body,
                headers={"Authorization": token, "Content-Type": "application/json"},
                timeout=PATIENCE_S,
            )
            assert FIX in answer.text
