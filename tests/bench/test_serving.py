"""An open load tells typed answers from others, during an outage and after it."""

from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from bench.serving.load import Answered, Wanted, answers, judge, one_by_one
from bench.serving.outage import Fault, Phases, figures, measure_outage
from core.errors import TransientError
from core.index import SearchQuery
from runtime.searcher import IndexSearcher
from search.result import Answer
from synthetic.gold import GoldQuestion
from tests.rigs.asgi import serving
from tests.rigs.waiting import PATIENCE_S, wait_until
from tests.services.rag.world import QUESTION, RagWorld, new_index

_PROBLEM: Final = "application/problem+json"
_STREAM: Final = "text/event-stream; charset=utf-8"
_USAGE: Final = 'event: usage\r\ndata: {{"model": "m", "degraded": {}}}\r\n\r\n'
_DONE: Final = 'event: done\r\ndata: {"answer_id": "a"}\r\n\r\n'


@pytest.mark.parametrize(
    ("status", "content_type", "body", "typed", "good"),
    [
        (200, "application/json", '{"usage": {"degraded": null}}', True, True),
        (200, "application/json", '{"usage": {"degraded": "m failed"}}', True, False),
        (201, "application/json", '{"ticket_id": "T"}', True, True),
        (200, "application/json", '{"usage": ', False, False),
        (200, _STREAM, _USAGE.format("null") + _DONE, True, True),
        (200, _STREAM, _USAGE.format('"m failed"') + _DONE, True, False),
        (200, _STREAM, ': ping\r\n\r\nevent: problem\r\ndata: {"status": 503}\r\n\r\n', True, False),
        (200, _STREAM, _USAGE.format("null"), False, False),
        (503, _PROBLEM, '{"status": 503}', True, False),
        (503, _PROBLEM, '{"status": 500}', False, False),
        (500, "text/plain", "Internal Server Error", False, False),
        (200, "text/html", "<p>hello</p>", False, False),
    ],
)
def test_a_typed_answer_is_complete_and_documented(
    status: int, content_type: str, body: str, typed: bool, good: bool
) -> None:
    """A stream without its end, half a document and a page of HTML are none; a degraded answer is not good."""
    assert judge(status, content_type, body.encode()) == (typed, good)


def test_the_figures_are_of_the_outage() -> None:
    """Late and untyped answers count against the service, and recovery ends with the last answer that isn't good."""
    phases = Phases(before=1, during=2, after=3, rate=1)
    found = [
        Answered(0.5, 9.0),  # before the fault
        Answered(1.5, 0.2, status=503, typed=True),
        Answered(2.5, 0.1, status=200, typed=True, good=True),
        Answered(3.5, 1.0, status=503, typed=True),
        Answered(4.7, 8.0, status=200, typed=True, good=True),  # too late
        Answered(5.5, 0.1, status=200, typed=True, good=True),
    ]
    shown = figures(found, phases, deadline_s=5)
    assert (shown["typed"], shown["answered"], shown["recovery"]) == (0.8, 0.5, 1.5)


class _Breakable(IndexSearcher):
    """Searches unless it is broken."""

    def __init__(self, world: RagWorld) -> None:
        super().__init__(index=world.index, embedder=world.embedder)
        self.broken = False
        self.refused = 0

    def search(self, text: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        if self.broken:
            self.refused += 1
            raise TransientError("the index is out")
        return super().search(text, query, plain=plain)

    def begin(self) -> None:
        self.broken = True

    def end(self) -> None:
        wait_until(lambda: self.refused > 0)
        self.broken = False


class _Served:
    """The service of a world."""

    def __init__(self, url: str, world: RagWorld) -> None:
        self.url = url
        self._token = world.issuer.headers(world.acme)

    def headers(self, tenant_id: str, number: int) -> dict[str, str]:
        del tenant_id, number
        return self._token


def test_a_load_sees_an_outage_and_its_end(tmp_path: Path) -> None:
    """Every request has a typed answer while the index is out, and a good one soon after."""
    phases = Phases(before=0.5, during=0.5, after=2, rate=20)
    with ExitStack() as stack:
        world = RagWorld(new_index(tmp_path, stack), tmp_path)
        stack.callback(world.feedback.close)
        searcher = _Breakable(world)
        url = stack.enter_context(serving(stack.enter_context(world.app(world.answering(searcher=searcher)))))
        asked = [GoldQuestion(world.acme, QUESTION, "identifier", "en")] * phases.requests
        service = _Served(url, world)
        assert [one.good for one in one_by_one(service, list(answers(asked[:2], begin=10**6)))] == [True, True]
        found, shown = measure_outage(
            service, list(answers(asked)), Fault(searcher.begin, searcher.end), phases, deadline_s=PATIENCE_S
        )
        gone = one_by_one(_Served("http://127.0.0.1:9", world), [Wanted("GET", "/", "acme")])
    assert shown["typed"] == 1
    assert {200, 503} == {one.status for one in found}
    assert found[-1].good
    assert gone[0].status == 0
    assert not gone[0].typed
