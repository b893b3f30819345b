"""A language model with retries, a circuit breaker, a budget and metrics."""

import logging
import math
import time
from collections.abc import Callable, Generator
from contextlib import closing
from threading import Event
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from core.language_model import (
    Delta,
    LanguageModel,
    ModelError,
    ModelErrorKind,
    ModelRequest,
    Part,
    TokenBudget,
    Tokens,
)
from core.language_model_settings import Price
from delivery.backoff import Backoff
from delivery.call_circuit import CallCircuit
from runtime.telemetry import Telemetry

logger: Final = logging.getLogger("ticketstream.language_models")

#: Failures that are retried. A timeout isn't, because it has used up the time.
_RETRIED: Final[frozenset[ModelErrorKind]] = frozenset({"throttled", "unavailable", "cut_off", "failed"})
#: Failures of the request, which don't count against the model.
_OF_THE_REQUEST: Final[frozenset[ModelErrorKind]] = frozenset({"bad_request", "too_long"})
#: Failures before the model has read the request, which cost nothing.
_FREE: Final[frozenset[ModelErrorKind]] = frozenset({"throttled", "unavailable", "denied", "bad_request"})
#: Bytes per token, for estimates: as in English; other scripts have more bytes and proportionally more tokens.
_BYTES_PER_TOKEN: Final = 4


class _Use(Struct):
    """Tokens of a call, counted by the model or else estimated."""

    input: int = 0
    output: int = 0


class GuardedModel:
    """Implements `core.language_model.LanguageModel` over another one. The time of a request includes the retries."""

    def __init__(
        self,
        model: LanguageModel,
        *,
        attempts: int,
        backoff: Backoff,
        circuit: CallCircuit,
        budget: TokenBudget,
        price: Price,
        telemetry: Telemetry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._attempts = attempts
        self._backoff = backoff
        self._circuit = circuit
        self._budget = budget
        self._price = price
        self._telemetry = telemetry
        self._clock = clock

    @property
    def name(self) -> str:
        """See `LanguageModel`."""
        return self._model.name

    def stream(self, request: ModelRequest, stop: Event) -> Generator[Part, None, None]:
        """See `LanguageModel`."""
        asked = _estimate(request.system) + _estimate(request.prompt)
        reservation = self._budget.reserve(request.tenant_id, asked + request.max_tokens)
        if reservation is None:
            self._count("over_budget")
            raise ModelError(f"{self.name}: the tenant has used today's tokens", kind="over_budget")
        use = _Use()
        try:
            yield from self._retried(request, stop, use, asked)
        finally:
            self._budget.settle(reservation, use.input + use.output)

    def _retried(self, request: ModelRequest, stop: Event, use: _Use, asked: int) -> Generator[Part, None, None]:
        deadline = self._clock() + request.timeout_s
        for attempt in range(self._attempts):
            begun = False
            try:
                left = replace(request, timeout_s=deadline - self._clock())
                with closing(self._attempt(left, stop, use, asked)) as parts:
                    for part in parts:
                        begun = True
                        yield part
            except ModelError as error:
                wait_s = self._backoff.delay_s(attempt, error)
                last = attempt + 1 == self._attempts or self._clock() + wait_s >= deadline
                if begun or last or error.kind not in _RETRIED:
                    raise
            else:
                return
            if stop.wait(wait_s):
                return

    def _attempt(self, request: ModelRequest, stop: Event, use: _Use, asked: int) -> Generator[Part, None, None]:
        """One call; the circuit breaker and the metrics get its outcome."""
        if not self._circuit.allow():
            self._count("circuit_open")
            raise ModelError(
                f"{self.name}: it has failed too often, and is paused for some seconds", kind="circuit_open"
            )
        began, written, tokens, outcome = self._clock(), 0, Tokens(0, 0), "stopped"
        try:
            with closing(self._model.stream(request, stop)) as parts:
                for part in parts:
                    if isinstance(part, Delta):
                        written += len(part.text.encode(errors="replace"))
                    elif isinstance(part, Tokens):
                        tokens = part
                    else:
                        outcome = "filtered" if part.reason == "filtered" else "answered"
                        self._circuit.success()
                    yield part
            self._require_end(outcome, stop)
        except ModelError as error:
            outcome = error.kind
            # an outage isn't logged at each call, because the circuit breaker admits only probes
            logger.warning("a language model failed: %s", error)
            if error.kind in _OF_THE_REQUEST:
                self._circuit.success()
            else:
                self._circuit.failure(error)
            raise
        finally:
            if outcome == "stopped":
                self._circuit.abandoned()
            self._telemetry.observe("tickets_language_model_seconds", self._clock() - began, self.name)
            self._count(outcome)
            if outcome not in _FREE:
                self._spend(use, tokens.input or asked, tokens.output or math.ceil(written / _BYTES_PER_TOKEN))

    def _require_end(self, outcome: str, stop: Event) -> None:
        if outcome == "stopped" and not stop.is_set():
            raise ModelError(f"{self.name}: the answer ended without its last event", kind="cut_off")

    def _spend(self, use: _Use, input_tokens: int, output_tokens: int) -> None:
        use.input += input_tokens
        use.output += output_tokens
        self._telemetry.count("tickets_language_model_tokens_total", self.name, "input", by=input_tokens)
        self._telemetry.count("tickets_language_model_tokens_total", self.name, "output", by=output_tokens)
        cost = self._price.cost(input_tokens, output_tokens)
        self._telemetry.count("tickets_language_model_cost_dollars_total", self.name, by=cost)

    def _count(self, outcome: str) -> None:
        self._telemetry.count("tickets_language_model_calls_total", self.name, outcome)


def _estimate(text: str) -> int:
    return math.ceil(len(text.encode(errors="replace")) / _BYTES_PER_TOKEN)
