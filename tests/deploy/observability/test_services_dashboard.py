"""Every query of the services' dashboard has an answer from a real Prometheus that scraped both services at work."""

import json
import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Final

import httpx
import pytest
from fastapi import FastAPI
from msgspec import Struct

from core.environment import load_settings
from core.settings import Settings
from local.issuer import LocalIssuer, open_issuer
from runtime.live_searcher import start_live_searcher
from services.http.server import open_asgi_server
from services.rag import compose as rag
from services.tickets import compose as tickets
from tests.deploy.observability.files import SERVICES, Panel, as_asked, panels
from tests.deploy.observability.live import RATE_INTERVAL, Prometheus
from tests.rigs.language_models import LanguageModelServer, Reply
from tests.rigs.redis_server import start_valkey
from tests.rigs.waiting import PATIENCE_S, wait_until
from tests.services.rag.world import FIX, QUESTION, RagWorld, new_index

_PAUSE_S: Final = 0.2
#: Requests of a user; one of them sends more.
_LIMIT: Final = 12
_MODEL: Final = Reply(
    text="".join(json.dumps({"text": text, "sources": [1]}) + "\n" for text in ("The moon is made of cheese.", FIX))
)
_PANELS = [pytest.param(panel, id=panel.title) for panel in panels(SERVICES)]


class Run(Struct, frozen=True):
    """Services that were scraped while they worked, and the number of requests by path."""

    prometheus: Prometheus
    began: float
    ended: float
    sent: dict[str, int]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Questions, verdicts, new tickets and bad tokens, with a broker that is away, until every query has a value."""
    folder = tmp_path_factory.mktemp("services")
    with ExitStack() as stack:
        world = RagWorld(new_index(folder, stack), folder)
        stack.callback(world.feedback.close)
        redis = stack.enter_context(start_valkey())
        model = stack.enter_context(LanguageModelServer(_MODEL))
        issuer = open_issuer(stack)
        settings = _settings(folder, issuer, cache=f"redis://{redis.address}/0", model=model.url)
        # The real searcher asks a worker or a server.
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        patched.setattr(
            rag,
            "open_live_searcher",
            lambda _settings, owner: start_live_searcher(lambda _own: world.searcher(), owner),
        )
        urls = {name: _serve(compose, settings, stack) for name, compose in (("rag", rag), ("tickets", tickets))}
        client = stack.enter_context(httpx.Client(timeout=PATIENCE_S))
        wait_until(lambda: client.get(f"{urls['rag']}/ready").status_code == 200)
        ports = {name: [url.rpartition(":")[2]] for name, url in urls.items()}
        prometheus = stack.enter_context(Prometheus(folder / "prometheus", ports))
        began, sent = time.time(), {"/api/v1/answers": 0, "/api/v1/tickets": 0}
        users, deadline = 0, time.monotonic() + PATIENCE_S
        # On a busy machine scrapes are late, so the run goes on until it was seen.
        while users <= _LIMIT or (_unanswered(prometheus, began) and time.monotonic() < deadline):
            _round(client, urls, lambda user: _headers(issuer, world.acme, user), f"u-{users}", sent)
            users += 1
            time.sleep(_PAUSE_S)
        wait_until(lambda: _shows(prometheus, sent))
        yield Run(prometheus, began, time.time(), sent)


def _settings(folder: Path, issuer: LocalIssuer, *, cache: str, model: str) -> Settings:
    return load_settings(
        {
            **issuer.variables,
            "TICKETS_MODEL__NAME": "hashing",
            "TICKETS_KAFKA__BROKERS": "127.0.0.1:9",
            "TICKETS_CACHE__URL": cache,
            "TICKETS_CACHE__TIMEOUT_S": str(PATIENCE_S),
            "TICKETS_API__PATH": str(folder / "tickets.db"),
            "TICKETS_RAG__FEEDBACK_FILE": str(folder / "verdicts.db"),
            "TICKETS_LANGUAGE_MODEL__CHAIN": "openai:m",
            "TICKETS_LANGUAGE_MODEL__OPENAI_URL": model,
            "TICKETS_LIMITS__USER_REQUESTS": str(_LIMIT),
            "TICKETS_LIMITS__TENANT_REQUESTS": "1000000",
            "TICKETS_LIMITS__ADDRESS_REQUESTS": "1000000",
        }
    )


def _serve(compose: ModuleType, settings: Settings, stack: ExitStack) -> str:
    """Serve the app of a composition root; returns its URL."""
    app: FastAPI = compose.open_app(settings, stack)
    server = open_asgi_server(app, stack, host="127.0.0.1", port=0, setting="TICKETS_RAG__PORT")
    return f"http://127.0.0.1:{server.port}"


def _headers(issuer: LocalIssuer, tenant: str, user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token(tenant, user, ['agent'])}"}


def _round(
    client: httpx.Client,
    urls: dict[str, str],
    headers: Callable[[str], dict[str, str]],
    user: str,
    sent: dict[str, int],
) -> None:
    agent = headers(user)
    question = {"question": f"{QUESTION} {'Please. ' * (sent['/api/v1/answers'] // 2)}"}
    answer = client.post(f"{urls['rag']}/api/v1/answers", json=question, headers=agent)
    assert answer.status_code == 200, answer.text
    sent["/api/v1/answers"] += 1
    vote = f"{urls['rag']}/api/v1/answers/{answer.json()['answer_id']}/feedback"
    assert client.post(vote, json={"verdict": "sent"}, headers=agent).status_code == 204
    new = {"subject": "VPN", "body": "It fails."}
    assert client.post(f"{urls['tickets']}/api/v1/tickets", json=new, headers=agent).status_code == 201
    sent["/api/v1/tickets"] += 1
    for url, path in ((urls["tickets"], "/api/v1/tickets"), (urls["rag"], "/api/v1/tickets/T-1/similar")):
        assert client.get(f"{url}{path}", headers=headers("greedy")).status_code in (200, 429)
    for url in urls.values():
        assert client.get(f"{url}/api/v1/tickets", headers={"Authorization": "Bearer a.b.c"}).status_code == 401


def _shows(prometheus: Prometheus, sent: dict[str, int]) -> bool:
    """Whether the last scrape saw all of the run."""
    votes = "/api/v1/answers/{answer_id}/feedback"  # each answer is voted on after it was counted
    return all(
        _posted(prometheus, route) == count for route, count in (sent | {votes: sent["/api/v1/answers"]}).items()
    )


def _values(prometheus: Prometheus, query: str, began: float, ended: float) -> list[float]:
    answer = prometheus.over(as_asked(query, interval=RATE_INTERVAL), began, ended)
    found = [float(value) for series in answer for _, value in series["values"]]
    return [value for value in found if not math.isnan(value)]


def _unanswered(prometheus: Prometheus, began: float) -> bool:
    """Whether a query of the dashboard has no value yet."""
    queries = [query for panel in panels(SERVICES) for query, _ in panel.queries]
    return not all(_values(prometheus, query, began, time.time()) for query in queries)


def _posted(prometheus: Prometheus, route: str) -> float:
    found = prometheus.now(f'sum(tickets_http_requests_total{{method="POST", route="{route}"}})')
    return float(found[0]["value"][1]) if found else 0.0


@pytest.mark.parametrize("panel", _PANELS)
def test_every_query_of_a_panel_has_an_answer(run: Run, panel: Panel) -> None:
    """Every query has a value at some time of the run, with every label that its legend names."""
    for query, legend in panel.queries:
        assert _values(run.prometheus, query, run.began, run.ended), f"{query}: no value"
        for series in run.prometheus.over(as_asked(query, interval=RATE_INTERVAL), run.began, run.ended):
            assert set(re.findall(r"{{(\w+)}}", legend)) <= set(series["metric"]), f"{legend}: a label is missing"


def test_the_numbers_shown_are_those_of_the_run(run: Run) -> None:
    """Every answer and every change that waits is counted once, and no request failed."""

    def value(query: str) -> float:
        return float(run.prometheus.now(query)[0]["value"][1])

    assert value("sum(tickets_answers_total)") == run.sent["/api/v1/answers"]
    assert value("max(tickets_outbox_events)") == run.sent["/api/v1/tickets"]
    assert value('sum(tickets_feedback_total{verdict="sent"})') == run.sent["/api/v1/answers"]
    assert value('sum(tickets_answer_cache_total{outcome="hit"})') > 0
    assert not run.prometheus.now('tickets_http_requests_total{status=~"5.."}')
