"""Many concurrent calls with random faults and callers who leave: nothing leaks."""

import threading
import time
from contextlib import ExitStack, suppress
from random import Random
from threading import Event
from typing import Final, get_args

import pytest

from connectors.cache.memory_tokens import DailyTokens
from core.environment import load_settings
from core.language_model import End, LanguageModel, ModelError, Part
from runtime.language_models import open_language_models
from runtime.telemetry import Telemetry
from tests.connectors.language_models.clients import aws_environment, request, text_of
from tests.rigs.language_models import Fault, LanguageModelServer, Reply
from tests.rigs.waiting import PATIENCE_S, wait_until

_THREADS: Final = 8
_CALLS: Final = 12
_TEXT: Final = "One answer, and no other. " * 5
#: Faults that last until the caller leaves or its deadline.
_SLOW: Final = ("silent", "stall", "drip")
_FAULTS: Final = [fault for fault in get_args(Fault) if fault not in ("endless", "bad_checksum", "long_line")]


def _call(model: LanguageModel, rng: Random, wrong: list[str]) -> None:
    """One call, which may be stopped, or left in the middle."""
    stop = Event()
    leaves_after = rng.choice((None, None, 1, 3))
    timer = threading.Timer(rng.uniform(0, 0.3), stop.set)
    timer.start()
    parts: list[Part] = []
    with suppress(ModelError):
        output = model.stream(request(timeout_s=5), stop)
        for part in output:
            parts.append(part)
            if len(parts) == leaves_after:
                output.close()
                break
    timer.cancel()
    if parts and isinstance(parts[-1], End) and text_of(parts) != _TEXT:
        wrong.append(text_of(parts))


@pytest.mark.parametrize("seed", [1])
def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Every answer was complete or failed; afterwards no call runs, no token is reserved, and models answer."""
    rng = Random(seed)
    telemetry, budget = Telemetry(), DailyTokens(10**9)
    wrong: list[str] = []
    replies = [Reply(text=_TEXT, fault=rng.choice([None, *_FAULTS])) for _ in range(_THREADS * _CALLS * 2)]
    with LanguageModelServer(*replies, Reply(text=_TEXT)) as server, ExitStack() as stack:
        aws_environment(server.url, monkeypatch)
        monkeypatch.setattr("runtime.language_models._PROBE_MAX_S", 0.3)
        chain = "openai:a,bedrock:b,sagemaker:c"
        given = {"chain": chain, "openai_url": server.url, "idle_timeout_s": "0.2", "attempts": "3"}
        settings = load_settings({f"TICKETS_LANGUAGE_MODEL__{key}".upper(): given[key] for key in given})
        models = open_language_models(settings.language_model, stack, telemetry=telemetry, budget=budget)

        def run(number: int) -> None:
            own = Random(seed * 1_000 + number)
            for _ in range(_CALLS):
                _call(own.choice(models), own, wrong)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
        assert wrong == []

        server.script(Reply(text=_TEXT))
        wait_until(lambda: server.answering == 0)
        deadline = time.monotonic() + PATIENCE_S
        for model in models:  # once the circuit breakers admit a probe
            while not _answers(model):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        counted = sum(
            sample.value
            for metric in telemetry.registry.collect()
            if metric.name == "tickets_language_model_tokens"
            for sample in metric.samples
            if sample.name.endswith("_total")
        )
        assert budget.used("acme") == counted


def _answers(model: LanguageModel) -> bool:
    try:
        return text_of(list(model.stream(request(), Event()))) == _TEXT
    except ModelError:
        return False
