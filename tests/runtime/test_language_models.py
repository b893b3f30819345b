"""Opening the language models that the settings name."""

import logging
import threading
from contextlib import ExitStack
from threading import Event

import pytest

from core.environment import load_settings
from core.errors import ConfigError
from core.language_model import LanguageModel, ModelError, ModelRequest
from runtime.language_models import open_language_models
from runtime.telemetry import Telemetry
from tests.connectors.language_models.clients import SECRET, ask, aws_environment, request, text_of
from tests.rigs.language_models import LanguageModelServer, Reply

_PREFIX = "TICKETS_LANGUAGE_MODEL__"


def _open(stack: ExitStack, telemetry: Telemetry | None = None, **settings: str) -> tuple[LanguageModel, ...]:
    given = {f"{_PREFIX}{name}".upper(): value for name, value in settings.items()}
    return open_language_models(load_settings(given).language_model, stack, telemetry=telemetry or Telemetry())


def test_without_a_model_nothing_is_opened() -> None:
    """By default there is no model, no thread and no connection."""
    with ExitStack() as stack:
        assert _open(stack) == ()
        assert "language-models" not in {thread.name for thread in threading.enumerate()}


def test_models_are_opened_in_the_order_of_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each model of the chain answers, from the server that its settings name."""
    with LanguageModelServer(Reply(text="Reset it.")) as server, ExitStack() as stack:
        aws_environment(server.url, monkeypatch)
        models = _open(stack, chain="openai:llama,bedrock:m:0,sagemaker:e,extractive", openai_url=f"{server.url}/v1")
        assert [model.name for model in models] == ["openai:llama", "bedrock:m:0", "sagemaker:e"]
        assert [text_of(ask(model)) for model in models] == ["Reset it."] * 3
    assert "language-models" not in {thread.name for thread in threading.enumerate()}


def test_a_throttled_model_is_tried_again_and_counted() -> None:
    """The attempts of the settings are made, and the metrics count each."""
    telemetry = Telemetry()
    with LanguageModelServer(Reply(fault="throttled"), Reply()) as server, ExitStack() as stack:
        (model,) = _open(stack, telemetry, chain="openai:llama", openai_url=server.url, prices="openai:llama=1000000/0")
        ask(model)
        calls = "tickets_language_model_calls_total"
        for outcome in ("throttled", "answered"):
            labels = {"model": "openai:llama", "outcome": outcome}
            assert telemetry.registry.get_sample_value(calls, labels) == 1
        cost = "tickets_language_model_cost_dollars_total"
        assert telemetry.registry.get_sample_value(cost, {"model": "openai:llama"}) == 30
        state = "tickets_language_model_circuit_state"
        assert telemetry.registry.get_sample_value(state, {"model": "openai:llama"}) == 0


def test_models_share_the_budget_of_a_tenant() -> None:
    """A tenant that has used its tokens of the day gets no answer from any model; another tenant does."""
    with LanguageModelServer() as server, ExitStack() as stack:
        first, second = _open(stack, chain="openai:a,openai:b", openai_url=server.url, tokens_per_day="150")
        ask(first)
        with pytest.raises(ModelError) as caught:
            ask(second)
        assert caught.value.kind == "over_budget"
        other = ModelRequest(tenant_id="globex", system="", prompt="", max_tokens=100, timeout_s=60)
        ask(second, other)


def test_closing_ends_a_call_that_is_being_made() -> None:
    """Closing ends a call in progress."""
    with LanguageModelServer(Reply(fault="stall")) as server, ExitStack() as stack:
        (model,) = _open(stack, chain="openai:a", openai_url=server.url, attempts="1")
        parts = model.stream(request(), Event())
        next(parts)
        stack.close()
        with pytest.raises(ModelError) as caught:
            list(parts)
        assert caught.value.kind == "cut_off"
        with pytest.raises(ModelError) as caught:
            ask(model)
        assert caught.value.kind == "unavailable"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"chain": "openai:x"}, "OPENAI_URL: not set"),
        ({"chain": "openai:x", "openai_url": "localhost:11434"}, "OPENAI_URL: not an http or https URL"),
        ({"chain": "openai:x", "openai_url": "https://u:p4ss@host/v1"}, "OPENAI_URL: the URL holds credentials"),
        ({"chain": "openai:x", "openai_url": "https://host/v1?key=p4ss"}, "OPENAI_URL: the URL holds credentials"),
        ({"chain": "openai:x", "openai_url": "https://host:port/v1"}, "OPENAI_URL: not an http or https URL"),
        (
            {"chain": "openai:x", "openai_url": "http://h", "openai_key": "p4ss\nword"},
            "OPENAI_KEY: contains characters",
        ),
        (
            {"chain": "openai:x", "openai_url": "http://h", "openai_key": "p4ss\u2013word"},
            "OPENAI_KEY: contains characters",
        ),
        ({"chain": "bedrock:x"}, "AWS_REGION: not set"),
        ({"chain": "gpt"}, "CHAIN: 'gpt' is not a model"),
    ],
)
def test_a_wrong_setting_is_one_line(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], words: str) -> None:
    """The error names the variable, says what to do and quotes no secret."""
    aws_environment("http://127.0.0.1:9", monkeypatch)
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with ExitStack() as stack, pytest.raises(ConfigError) as caught:
        _open(stack, None, **settings)
    assert str(caught.value).startswith(f"{_PREFIX}{words}")
    assert "\n" not in str(caught.value)
    assert "p4ss" not in str(caught.value)


def test_a_key_from_a_file_may_end_with_a_line() -> None:
    """White space around a key in a file is ignored."""
    with LanguageModelServer() as server, ExitStack() as stack:
        (model,) = _open(stack, chain="openai:a", openai_url=server.url, openai_key=" sk-1\n")
        ask(model)
        assert server.requests[0].headers["authorization"] == "Bearer sk-1"


def test_no_credentials_are_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process without AWS credentials starts, and its calls fail as denied."""
    aws_environment("http://127.0.0.1:9", monkeypatch)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with ExitStack() as stack:
        (model,) = _open(stack, chain="bedrock:x")
        with pytest.raises(ModelError) as caught:
            ask(model)
    assert caught.value.kind == "denied"


def test_the_libraries_log_no_key_at_our_levels(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With debug logs on, as runtime.logs sets them up, neither keys nor the question are logged."""
    from core.telemetry_settings import LogSettings  # noqa: PLC0415
    from runtime.logs import set_up_logging  # noqa: PLC0415

    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        set_up_logging(LogSettings(level="debug"))
        with LanguageModelServer() as server, ExitStack() as stack:
            aws_environment(server.url, monkeypatch)
            for model in _open(stack, chain="openai:a,bedrock:b", openai_url=server.url, openai_key=SECRET):
                ask(model)
    finally:
        root.handlers, root.level = before
    captured = capsys.readouterr()
    assert SECRET not in captured.err + captured.out
    assert request().prompt not in captured.err + captured.out
