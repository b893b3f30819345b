"""The control API of a worker, over a socket."""

import json
from collections.abc import Callable
from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest

from connectors.qdrant.backup import Backup
from connectors.qdrant.open import open_index_for_writing
from core.errors import ConfigError, FatalError, TransientError
from core.settings import IndexSettings
from models.run.hashing import HashingEmbedder
from runtime.control import SearchRequest, SimilarRequest, ThreadsAnswer, WorkerStatus
from runtime.searcher import IndexSearcher
from search.result import Answer
from stream.control import control_app
from tests.runtime.test_http import ask, serving
from tests.search.cases import hit

ANSWER = Answer(hits=(hit("1", 0.9),), nothing=False, confidence=0.9)
STATUS = WorkerStatus(model="m", points=3, tombstones=1, inflight=0, freshness_s=None, outage=None)
QUESTION = {"text": "why", "query": {"tenant_id": "acme"}}


def _control(
    search: Callable[[SearchRequest], Answer] = lambda _request: ANSWER,
    similar: Callable[[SimilarRequest], Answer] = lambda _request: ANSWER,
) -> WSGIApplication:
    return control_app(
        token="right",
        search=search,
        similar=similar,
        threads=lambda _request: ThreadsAnswer(()),
        status=lambda: STATUS,
        back_up=_back_up,
    )


def _back_up(folder: Path) -> Backup:
    if folder.name == "taken":
        raise ConfigError("it exists already")
    return Backup(taken_ms=1, files={"shard/wal/1": "00"})


def test_a_search_with_the_token_returns_the_hits() -> None:
    """A request that carries the token is answered with the complete hits."""
    with serving(_control()) as url:
        status, body = ask(f"{url}/search", token="right", body=QUESTION)
    assert status == 200
    assert json.loads(body)["hits"][0]["ticket_id"] == "1"


@pytest.mark.parametrize("token", [None, "wrong", "rightright"])
@pytest.mark.parametrize("path", ["/search", "/backup", "/status"])
def test_a_request_without_the_token_is_refused(token: str | None, path: str) -> None:
    """Another user of the host gets 401 for every path, and the index is not searched."""

    def never(_request: SearchRequest) -> Answer:
        pytest.fail("searched")

    with serving(_control(never)) as url:
        assert ask(url + path, token=token, body=None if path == "/status" else QUESTION)[0] == 401


def test_a_backup_is_answered_with_its_list() -> None:
    """The answer is the backup's list of files, or 400 with the reason if the place is not allowed."""
    with serving(_control()) as url:
        status, body = ask(f"{url}/backup", token="right", body={"folder": "/backups/new"})
        assert (status, json.loads(body)["files"]) == (200, {"shard/wal/1": "00"})
        status, body = ask(f"{url}/backup", token="right", body={"folder": "/backups/taken"})
        assert (status, json.loads(body)["error"]) == (400, "it exists already")


def test_a_malformed_request_is_a_4xx() -> None:
    """The answer is 400 for a body that is not a search request, and 404 for another path."""
    with serving(_control()) as url:
        assert ask(f"{url}/backup", token="right", body={"path": "a"})[0] == 400
        assert ask(f"{url}/search", token="right", body=b"{]")[0] == 400
        assert ask(f"{url}/search", token="right", body={"text": "a"})[0] == 400
        assert ask(f"{url}/search", token="right", body=b'{"text":"\xff"}')[0] == 400
        assert ask(f"{url}/search", token="right", body=b'{"x":' + b"[" * 60_000)[0] == 400
        assert ask(f"{url}/nothing", token="right")[0] == 404


@pytest.mark.parametrize("limit", [-1, 0, 1_001, 2**63, 10**30])
def test_a_limit_out_of_bounds_is_a_400(limit: int) -> None:
    """The index is not asked, and the answer says the bounds; one beyond 64 bits is no search request."""
    query = {"tenant_id": "acme", "limit": limit}
    with serving(_control(lambda _request: pytest.fail("searched"))) as url:
        status, body = ask(f"{url}/search", token="right", body={"text": "why", "query": query})
    assert status == 400
    assert f"a search can find 1 to 1,000 tickets, not {limit:,}" in body or "not a search request" in body


def test_a_question_that_is_too_long_is_a_400(tmp_path: Path) -> None:
    """The question is neither redacted nor embedded."""
    embedder = HashingEmbedder()
    index = open_index_for_writing(
        IndexSettings(path=tmp_path / "index"), dimension=embedder.dimension, model=embedder.stamp
    )
    searcher = IndexSearcher(index=index, embedder=embedder)
    with serving(_control(lambda request: searcher.search(request.text, request.query))) as url:
        for text, status in (("é" * 10_000, 200), ("é" * 10_001, 400)):
            assert ask(f"{url}/search", token="right", body={**QUESTION, "text": text})[0] == status
    index.close()


@pytest.mark.parametrize("length", ["65537", "9" * 5_000])
def test_a_body_that_is_too_large_is_not_read(length: str) -> None:
    """A request of more than 64 KiB is answered with 413 before its body is read."""
    answers: list[str] = []
    request = {
        "HTTP_AUTHORIZATION": "Bearer right",
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/search",
        "CONTENT_LENGTH": length,
    }

    def start(status: str, _headers: object, _error: object = None, /) -> Callable[[bytes], object]:
        answers.append(status)
        return lambda _body: None

    list(_control()(request, start))
    assert answers == ["413 Content Too Large"]


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (TransientError("index out"), (503, '{"error":"index out"}')),
        (FatalError("the index is damaged"), (500, '{"error":"the index is damaged"}')),
        (RuntimeError("the text of a ticket"), (500, '{"error":"RuntimeError in the worker"}')),
    ],
)
def test_an_error_of_the_index_is_a_5xx_with_one_line(
    error: Exception, answer: tuple[int, str], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """An outage is a 503. Any other error is a 500 that is logged, quotes no ticket and prints no traceback."""

    def fail(_request: SearchRequest) -> Answer:
        raise error

    with serving(_control(fail)) as url:
        assert ask(f"{url}/search", token="right", body=QUESTION) == answer
    ours = [record for record in caplog.records if record.name.startswith("ticketstream")]
    assert [record.levelname for record in ours] == (["ERROR"] if answer[0] == 500 else [])
    assert "the text of" not in caplog.text
    assert "Traceback" not in capfd.readouterr().err
