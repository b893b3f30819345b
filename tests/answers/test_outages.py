"""Answers while the models' servers throttle, stay silent, cut the connection, or send endless garbage."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from random import Random
from threading import Event as Stop

import pytest

from answers.answer import answer
from answers.chain import Chain, Link
from answers.events import Done, Event, Sentence, Sources, Usage
from answers.extractive import ExtractiveWriter
from answers.model_writer import ModelWriter
from answers.writer import Asked
from core.environment import load_settings
from delivery.circuit import FAILURES
from runtime.language_models import open_language_models
from runtime.telemetry import Telemetry
from tests.answers.threads import evidence
from tests.rigs.language_models import Fault, LanguageModelServer, Reply
from tests.rigs.waiting import PATIENCE_S, wait_until

CAUSE, FIX = "The clock was 12 minutes behind.", "Press Sync in Admin > Groups."
_FOUND = evidence(f"{CAUSE} {FIX}")
_MIDWAY: tuple[Fault, ...] = ("stall", "cut", "half_frame", "error_midway", "garbage", "long_line")
_AT_ONCE: tuple[Fault, ...] = ("throttled", "unavailable", "denied", "bad_request", "hang_up", "not_http", "silent")
#: Faults that only a time limit ends.
_SLOW = {"stall", "silent", "drip"}


def _written(*sentences: str) -> str:
    """A model's output in the format that the prompt asks for."""
    return "".join(json.dumps({"text": sentence, "sources": [1]}) + "\n" for sentence in sentences)


class _World:
    """Two models, `first` and `second`, each with a server of its own, and the extractive writer."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.servers = [stack.enter_context(LanguageModelServer()) for _ in range(2)]
        self.telemetry = Telemetry()

    def chain(self, **settings: str) -> Chain:
        """A chain of the two models, each opened with the settings."""
        links = []
        for name, server in zip(("first", "second"), self.servers, strict=True):
            given = {"chain": f"openai:{name}", "openai_url": server.url, "timeout_s": str(PATIENCE_S), **settings}
            group = load_settings({f"TICKETS_LANGUAGE_MODEL__{key}".upper(): given[key] for key in given})
            (model,) = open_language_models(group.language_model, self._stack, telemetry=self.telemetry)
            writer = ModelWriter(model, max_tokens=200, timeout_s=group.language_model.timeout_s, rng=Random(1))
            links.append(Link(writer=writer, deadline_s=PATIENCE_S))
        return Chain(links=(*links, Link(writer=ExtractiveWriter())))


@pytest.fixture
def world() -> Iterator[_World]:
    with ExitStack() as stack:
        yield _World(stack)


def _ask(chain: Chain, stop: Stop | None = None) -> Iterator[Event]:
    return answer(Asked(answer_id="a", tenant_id="acme", question="why?"), _FOUND, chain, stop or Stop())


def _check(events: list[Event]) -> tuple[list[str], Usage]:
    """The sentences of an answer, which must be complete, and its usage."""
    sources, *sentences, usage, done = events
    assert isinstance(sources, Sources)
    assert isinstance(usage, Usage)
    assert done == Done("a", "answered")
    return [sentence.text for sentence in sentences if isinstance(sentence, Sentence)], usage


def _times(fault: Fault) -> dict[str, str]:
    """Short time limits for the faults in `_SLOW`."""
    return {"idle_timeout_s": "0.3", "attempts": "1"} if fault in _SLOW else {"attempts": "1"}


@pytest.mark.parametrize("fault", [*_AT_ONCE, *_MIDWAY])
def test_a_failing_model_hands_over_to_the_next(world: _World, fault: Fault) -> None:
    """If a model fails before its first sentence, the next one writes, and the usage says so."""
    world.servers[0].script(Reply(text=_written(CAUSE), fault=fault))
    world.servers[1].script(Reply(text=_written(FIX)))
    sentences, usage = _check(list(_ask(world.chain(**_times(fault)))))
    assert sentences == [FIX]
    assert usage.model == "openai:second"
    assert usage.degraded is not None
    assert "openai:first failed" in usage.degraded


@pytest.mark.parametrize("fault", _MIDWAY)
def test_after_the_first_sentence_no_other_model_goes_on(world: _World, fault: Fault) -> None:
    """If a model fails after a sentence was sent, the answer ends there and is marked as degraded."""
    world.servers[0].script(Reply(text=_written(CAUSE, CAUSE, FIX), fault=fault))
    sentences, usage = _check(list(_ask(world.chain(**_times(fault)))))
    assert sentences == [CAUSE]
    assert usage.model == "openai:first"
    assert usage.degraded is not None
    assert world.servers[1].calls == 0


def test_an_answer_without_its_last_event_is_marked(world: _World) -> None:
    """If a model's stream ends without its last event, the answer is marked as cut off."""
    world.servers[0].script(Reply(text=_written(CAUSE, FIX), fault="no_end"))
    sentences, usage = _check(list(_ask(world.chain(attempts="1"))))
    assert sentences == [CAUSE, FIX]
    assert usage.degraded == "openai:first failed (cut_off)"


@pytest.mark.parametrize("fault", [*_AT_ONCE, *_MIDWAY])
def test_without_any_model_the_answer_is_extractive(world: _World, fault: Fault) -> None:
    """If all models fail, the answer is the resolution's own sentences, marked as degraded."""
    for server in world.servers:
        server.script(Reply(text=_written(CAUSE), fault=fault))
    sentences, usage = _check(list(_ask(world.chain(**_times(fault)))))
    assert sentences == [CAUSE, FIX]
    assert usage.model == "extractive"
    assert usage.degraded


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no JSON at all.\n" * 40, "failed (protocol)"),
        (_written("The clock was 13 minutes behind.") * 3, "wrote nothing that the sources support"),
        ("x" * 5_000, "failed (too_long)"),
        ('{"text": "' + "[" * 5_000, "failed (too_long)"),
        ("", "wrote nothing that the sources support"),
    ],
)
def test_an_output_that_is_no_answer_is_never_sent(world: _World, text: str, says: str) -> None:
    """Garbage, unsupported sentences and endless lines are not sent, and the next model writes."""
    world.servers[0].script(Reply(text=text))
    world.servers[1].script(Reply(text=_written(FIX)))
    sentences, usage = _check(list(_ask(world.chain())))
    assert sentences == [FIX]
    assert usage.degraded is not None
    assert says in usage.degraded


def test_an_endless_output_is_left(world: _World) -> None:
    """The connection to a model that never stops is closed, and the answer is degraded."""
    world.servers[0].script(Reply(text=_written(CAUSE), fault="endless"))
    world.servers[1].script(Reply(text=_written(FIX)))
    sentences, usage = _check(list(_ask(world.chain())))
    assert sentences in ([CAUSE], [FIX])
    assert usage.degraded
    wait_until(lambda: world.servers[0].left == 1)


def test_a_slow_drip_ends_at_the_model_s_time(world: _World) -> None:
    """If a model sends a byte now and then, the next one writes after timeout_s."""
    world.servers[0].script(Reply(text=_written(CAUSE), fault="drip"))
    world.servers[1].script(Reply(text=_written(FIX)))
    sentences, usage = _check(list(_ask(world.chain(timeout_s="0.7"))))
    assert sentences in ([FIX], [CAUSE, FIX])  # on a busy machine the second model may be too slow
    assert usage.degraded == "openai:first failed (timeout)"


def test_a_model_that_keeps_failing_is_left_alone(world: _World) -> None:
    """After three failures the circuit breaker opens, and the model isn't called."""
    world.servers[0].script(Reply(fault="throttled", retry_after="60"))
    world.servers[1].script(Reply(text=_written(FIX)))
    chain = world.chain(attempts="1")
    degraded = [_check(list(_ask(chain)))[1].degraded for _ in range(FAILURES + 2)]
    assert degraded == ["openai:first failed (throttled)"] * FAILURES + ["openai:first is unavailable"] * 2
    assert world.servers[0].calls == FAILURES


def test_a_tenant_without_tokens_gets_extractive_answers(world: _World) -> None:
    """A tenant that has used up today's tokens gets an extractive answer that says so, and no model is called."""
    _, usage = _check(list(_ask(world.chain(tokens_per_day="100"))))
    assert (usage.model, usage.degraded) == ("extractive", "today's tokens are used up")
    assert [server.calls for server in world.servers] == [0, 0]


def test_a_throttled_call_is_retried_before_another_model_is_asked(world: _World) -> None:
    """A throttled call is retried, and the answer is not degraded."""
    world.servers[0].script(Reply(fault="throttled"), Reply(text=_written(CAUSE, FIX), tokens=(50, 20)))
    sentences, usage = _check(list(_ask(world.chain())))
    assert sentences == [CAUSE, FIX]
    assert usage == Usage("openai:first", 50, 20)


@pytest.mark.parametrize("leave", ["stop", "close"])
def test_a_reader_who_leaves_ends_the_model_s_work(world: _World, leave: str) -> None:
    """When the client disconnects, the connection to the model is closed, so that it stops generating."""
    world.servers[0].script(Reply(text=_written(CAUSE, CAUSE, FIX), fault="stall"))
    stop = Stop()
    events = _ask(world.chain(), stop)
    assert isinstance(next(events), Sources)
    assert isinstance(next(events), Sentence)
    ends: dict[str, Callable[[], object]] = {"stop": stop.set, "close": events.close}  # type: ignore[attr-defined]
    ends[leave]()
    assert list(events) == []
    wait_until(lambda: world.servers[0].left == 1)
    assert world.servers[1].calls == 0
