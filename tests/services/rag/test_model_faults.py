"""The RAG service over HTTP, while its language models behind a socket fail."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from random import Random

import httpx
import pytest

from answers.model_writer import ModelWriter
from connectors.cache.memory_tokens import DailyTokens
from core.environment import load_settings
from core.language_model_settings import LanguageModelSettings
from core.service_settings import RagSettings
from runtime.language_models import open_language_models
from runtime.telemetry import Telemetry
from services.http.server import open_asgi_server
from services.rag.app import rag_app
from services.rag.compose import model_links
from services.rag.pulling import open_pool
from services.rag.routes import Service
from tests.rigs.language_models import Fault, LanguageModelServer, Reply
from tests.rigs.waiting import PATIENCE_S, wait_until
from tests.services.rag.asking import ANSWERS, STREAM, ask, text_of
from tests.services.rag.world import FIX, QUESTION, RagWorld, events_of

_FAULTS: tuple[Fault, ...] = ("throttled", "denied", "silent", "stall", "cut", "garbage", "endless", "no_end")


@pytest.fixture
def model() -> Iterator[LanguageModelServer]:
    """A language model that writes the fix and goes on."""
    with LanguageModelServer(Reply(text=_written("Something else solves it.", FIX))) as server:
        yield server


def _written(*sentences: str) -> str:
    return "".join(json.dumps({"text": sentence, "sources": [1]}) + "\n" for sentence in sentences)


def _writers(world: RagWorld, model: LanguageModelServer, stack: ExitStack, **settings: str) -> list[ModelWriter]:
    given = {"chain": "openai:m", "openai_url": model.url, "attempts": "1", "timeout_s": str(PATIENCE_S), **settings}
    group = load_settings({f"TICKETS_LANGUAGE_MODEL__{key}".upper(): given[key] for key in given}).language_model
    return [
        ModelWriter(one, max_tokens=200, timeout_s=group.timeout_s, rng=Random(1))
        for one in open_language_models(group, stack, telemetry=world.telemetry)
    ]


@pytest.mark.parametrize("fault", _FAULTS)
def test_an_answer_comes_without_its_model(world: RagWorld, model: LanguageModelServer, fault: Fault) -> None:
    """Whatever the model's fault, the answer is complete, quotes the tickets, and says that it is degraded."""
    model.script(Reply(text=_written("The moon is made of cheese."), fault=fault))
    with ExitStack() as stack:
        writers = _writers(world, model, stack, idle_timeout_s="0.3")
        client = stack.enter_context(world.client(world.answering(writers=writers)))
        answer = ask(client)
        assert FIX in text_of(answer)
        assert "cheese" not in str(answer)
        assert answer["usage"]["model"] == "extractive"
        assert answer["usage"]["degraded"].startswith("openai:m ")
        events = events_of(client.post(ANSWERS, json={"question": QUESTION}, headers=STREAM).text)
        assert [name for name, _ in events] == ["sources", "sentence", "sentence", "usage", "done"]


def test_a_degraded_answer_is_not_kept(world: RagWorld, model: LanguageModelServer) -> None:
    """A degraded answer isn't cached, so once the model works, the same question gets its answer."""
    model.script(Reply(fault="throttled"), Reply(text=_written(FIX)))
    with ExitStack() as stack:
        client = stack.enter_context(world.client(world.answering(writers=_writers(world, model, stack))))
        assert [ask(client)["usage"]["model"] for _ in range(3)] == ["extractive", "openai:m", "openai:m"]
    assert model.calls == 2  # the third is from the cache


def test_a_tenant_s_budget_is_its_own(world: RagWorld, model: LanguageModelServer) -> None:
    """A tenant that has used its tokens gets extractive answers, while another tenant gets the model's."""
    model.script(Reply(text=_written(FIX), tokens=(5_000, 100)))
    with ExitStack() as stack:
        answering = world.answering(writers=_writers(world, model, stack, tokens_per_day="5000"))
        with world.client(answering) as client:
            assert ask(client)["usage"]["model"] == "openai:m"
            spent = ask(client, f"{QUESTION} Again?")["usage"]
            assert (spent["model"], spent["degraded"]) == ("extractive", "today's tokens are used up")
        with world.client(answering, tenant="globex") as client:
            ask(client)
    assert model.calls == 2


@contextmanager
def _serving(world: RagWorld, model: LanguageModelServer) -> Iterator[httpx.Client]:
    """A client of the service on a real server."""
    with ExitStack() as stack:
        settings = RagSettings()
        pool = open_pool(stack, threads=settings.max_concurrent, timeout_s=settings.timeout_s)
        app = rag_app(
            Service(world.answering(writers=_writers(world, model, stack)), pool),
            settings,
            authenticator=world.issuer.authenticator(world.telemetry),
            ready=lambda: None,
            warn=lambda: None,
        )
        server = open_asgi_server(app, stack, host="127.0.0.1", port=0, setting="TEST")
        headers = world.issuer.headers(world.acme, user_id="u-1")
        url = f"http://127.0.0.1:{server.port}"
        yield stack.enter_context(httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_S))


def test_a_client_who_leaves_ends_the_model_s_work(world: RagWorld, model: LanguageModelServer) -> None:
    """A disconnect in the middle of a stream closes the connection to the model."""
    model.script(Reply(text=_written(FIX, FIX, FIX), fault="stall"))
    with _serving(world, model) as client:
        with client.stream("POST", ANSWERS, json={"question": QUESTION}, headers=STREAM) as answer:
            texts = answer.iter_text()  # kept: without a reference it would close the connection
            assert "event: sources" in next(texts)
            wait_until(lambda: model.calls == 1)
        wait_until(lambda: model.left == 1)


def test_models_leave_time_for_an_answer_without_them() -> None:
    """All models of a chain together take at most three quarters of an answer's time."""
    for count, each_s in ((1, 20.0), (2, 20.0), (4, 11.25)):
        chain = ",".join(f"openai:m{number}" for number in range(count))
        settings = LanguageModelSettings(chain=chain, openai_url="http://127.0.0.1:9", timeout_s=20.0)
        with ExitStack() as stack:
            links = model_links(settings, stack, telemetry=Telemetry(), budget=DailyTokens(0), timeout_s=60.0)
        assert [link.deadline_s for link in links] == [each_s] * count
