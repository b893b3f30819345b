"""Retries, circuit breaker, budget and metrics of a language model."""

from contextlib import suppress
from random import Random
from threading import Event

import pytest

from connectors.cache.memory_tokens import DailyTokens
from core.language_model import Delta, End, ModelError, ModelErrorKind, ModelRequest, Part, Tokens
from core.language_model_settings import Price
from delivery.backoff import Backoff
from delivery.call_circuit import CallCircuit
from delivery.circuit import FAILURES
from runtime.guarded_model import GuardedModel
from runtime.telemetry import Telemetry
from tests.rigs.language_models.scripted import Script, ScriptedModel

_GOOD: Script = (Delta("Reset "), Delta("it."), Tokens(1_000, 200), End("stop"))
#: 40 bytes, which are estimated as 10 tokens.
_REQUEST = ModelRequest(tenant_id="acme", system="s" * 20, prompt="p" * 20, max_tokens=500, timeout_s=10)


class _NoWait(Event):
    """A `stop` whose waits end at once, and advance the clock."""

    def __init__(self, clock: "_Clock") -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.now += timeout or 0
        return self.is_set()


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class _World:
    def __init__(self, *scripts: Script, attempts: int = 2, budget: int = 0) -> None:
        self.clock = _Clock()
        self.stop = _NoWait(self.clock)
        self.telemetry = Telemetry()
        self.inner = ScriptedModel(*scripts, name="m")
        self.budget = DailyTokens(budget)
        self.circuit = CallCircuit(backoff=Backoff(cap_s=30, rng=Random(1), base_s=10.0), probe_s=20, clock=self.clock)
        self.model = GuardedModel(
            self.inner,
            attempts=attempts,
            backoff=Backoff(cap_s=1, rng=Random(1)),
            circuit=self.circuit,
            budget=self.budget,
            price=Price(input=3, output=15),
            telemetry=self.telemetry,
            clock=self.clock,
        )

    def ask(self, request: ModelRequest = _REQUEST) -> list[Part]:
        return list(self.model.stream(request, self.stop))

    def fails(self) -> ModelErrorKind:
        with pytest.raises(ModelError) as caught:
            self.ask()
        return caught.value.kind

    def count(self, name: str, *labels: str) -> float:
        names = {"calls": ("model", "outcome"), "tokens": ("model", "direction"), "cost_dollars": ("model",)}[name]
        pairs = dict(zip(names, ("m", *labels), strict=True))
        return self.telemetry.registry.get_sample_value(f"tickets_language_model_{name}_total", pairs) or 0.0


def _error(kind: ModelErrorKind, retry_after_s: float | None = None) -> ModelError:
    return ModelError("no", kind=kind, retry_after_s=retry_after_s)


def test_an_answer_passes_through_and_is_counted() -> None:
    """Parts are passed on as they are; the call, its tokens, its cost and its time are counted."""
    world = _World(_GOOD)
    assert world.ask() == list(_GOOD)
    assert world.count("calls", "answered") == 1
    assert (world.count("tokens", "input"), world.count("tokens", "output")) == (1_000, 200)
    assert world.count("cost_dollars") == pytest.approx(0.003 + 0.003)
    assert world.telemetry.registry.get_sample_value("tickets_language_model_seconds_count", {"model": "m"}) == 1


@pytest.mark.parametrize("kind", ["throttled", "unavailable", "cut_off", "failed"])
def test_a_passing_failure_is_retried(kind: ModelErrorKind) -> None:
    """A failure before the first piece is retried, with the time that is left, and each attempt is counted."""
    world = _World([_error(kind)], _GOOD)
    assert world.ask() == list(_GOOD)
    assert world.count("calls", kind) == world.count("calls", "answered") == 1
    first, second = world.inner.requests
    assert first.timeout_s == 10
    assert second.timeout_s == 10 - world.clock.now < 10


@pytest.mark.parametrize("kind", ["timeout", "protocol", "too_long", "denied", "bad_request"])
def test_a_failure_that_would_come_again_is_not_retried(kind: ModelErrorKind) -> None:
    """A failure is not retried if it would repeat, or if no time is left."""
    world = _World([_error(kind)], _GOOD)
    assert world.fails() == kind
    assert len(world.inner.requests) == 1


def test_attempts_are_bounded() -> None:
    """A lasting failure ends the call after the last attempt."""
    world = _World([_error("unavailable")], attempts=3)
    assert world.fails() == "unavailable"
    assert len(world.inner.requests) == 3


def test_an_answer_that_has_begun_is_never_retried() -> None:
    """A failure after the first piece is raised, because a retry would mix two answers."""
    world = _World([Delta("Reset "), _error("cut_off")], _GOOD)
    parts = world.model.stream(_REQUEST, world.stop)
    assert next(parts) == Delta("Reset ")
    with pytest.raises(ModelError):
        next(parts)
    assert len(world.inner.requests) == 1


def test_a_retry_that_would_begin_after_the_deadline_is_left_out() -> None:
    """If Retry-After exceeds the time left, the call isn't retried."""
    world = _World([_error("throttled", 60)], _GOOD)
    assert world.fails() == "throttled"
    assert world.clock.now == 0
    assert len(world.inner.requests) == 1


def test_an_output_without_its_end_was_cut_off() -> None:
    """A stream without `End` is a failure, whichever client it comes from."""
    world = _World([Delta("Reset ")])
    assert world.fails() == "cut_off"


def test_stop_ends_the_call_and_its_retries() -> None:
    """A caller that stops gets no further attempt and no error."""
    world = _World([_error("throttled")], _GOOD)
    world.stop.set()
    assert world.ask() == []
    assert world.count("calls", "stopped") == 1


def test_the_circuit_opens_and_is_probed() -> None:
    """After three failures the model isn't called until a probe is due; the probe's success closes the circuit."""
    world = _World(*[[_error("unavailable")]] * FAILURES, _GOOD, attempts=1)
    assert [world.fails() for _ in range(FAILURES + 1)] == ["unavailable"] * FAILURES + ["circuit_open"]
    assert len(world.inner.requests) == FAILURES
    world.clock.now += 60
    assert world.ask() == list(_GOOD)
    assert world.circuit.state == "closed"


@pytest.mark.parametrize("kind", ["bad_request", "too_long"])
def test_a_fault_of_the_request_leaves_the_circuit_closed(kind: ModelErrorKind) -> None:
    """A fault of the request doesn't count as a failure of the model."""
    world = _World([_error(kind)])
    assert [world.fails() for _ in range(3 * FAILURES)] == [kind] * (3 * FAILURES)


def test_beyond_the_budget_the_model_is_not_called() -> None:
    """A call that may exceed the tenant's tokens of the day is refused before it is made."""
    world = _World(_GOOD, budget=509)
    assert world.fails() == "over_budget"
    assert world.inner.requests == []
    assert world.count("calls", "over_budget") == 1


def test_the_budget_pays_for_what_was_used() -> None:
    """A call takes from the budget what the model counted, and not the maximum that was reserved."""
    world = _World(_GOOD, budget=1_200 + 510 + 1_199)
    world.ask()
    world.ask()
    assert world.fails() == "over_budget"


@pytest.mark.parametrize(
    ("script", "left"),
    [
        ([_error("throttled")], 510),
        ([_error("denied")], 510),
        ([_error("timeout")], 500),
        ([Delta("four bytes of text!!"), _error("cut_off")], 495),
        ([Delta("four bytes of text!!"), End("length")], 495),
    ],
)
def test_tokens_that_nobody_counted_are_estimated(script: Script, left: int) -> None:
    """A call that failed before the model read it is free; otherwise its tokens are estimated from the text."""
    world = _World(script, attempts=1, budget=510)
    with suppress(ModelError):
        world.ask()
    assert world.budget.reserve("acme", left)
    assert not world.budget.reserve("acme", 1)


def test_an_answer_that_is_left_is_paid_for() -> None:
    """If the reader leaves, the tokens used so far are charged and the rest of the reservation is returned."""
    world = _World(_GOOD, budget=510)
    parts = world.model.stream(_REQUEST, world.stop)
    next(parts)
    parts.close()
    assert world.count("calls", "stopped") == 1
    assert world.budget.reserve("acme", 498)
    assert not world.budget.reserve("acme", 1)
