"""The requests of each client, and its parsing of answers."""

import json
import logging
import threading
from contextlib import ExitStack
from threading import Event

import msgspec
import pytest

from connectors.language_models.transport import open_transport
from core.language_model import Delta, End, Tokens
from tests.connectors.language_models.clients import (
    CLIENTS,
    KEY,
    QUESTION,
    RULES,
    SECRET,
    STREAMED,
    World,
    ask,
    request,
    text_of,
)
from tests.rigs.language_models import Reply
from tests.rigs.waiting import PATIENCE_S, wait_until


@pytest.mark.parametrize("name", CLIENTS)
def test_an_answer_is_its_text_its_tokens_and_its_end(world: World, name: str) -> None:
    """The pieces join to the text, the tokens are those that the server counted, and the end comes last."""
    world.server.script(Reply(text="Grüße: reset 🔑 the token.", tokens=(30, 9)))
    *parts, end = ask(world.client(name))
    assert text_of(parts) == "Grüße: reset 🔑 the token."
    assert end == End("stop")
    counted = [part for part in parts if isinstance(part, Tokens)]
    expected = {"sagemaker inputs": [Tokens(0, 9)], "sagemaker inputs whole": []}.get(name, [Tokens(30, 9)])
    assert counted == expected


def test_a_model_on_loopback_is_asked_past_a_proxy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model on this machine is asked directly, whatever proxy the environment names."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    world.server.script(Reply(text="Reset it."))
    with ExitStack() as stack:
        direct = msgspec.structs.replace(world, transport=open_transport(stack, connect_timeout_s=PATIENCE_S))
        assert text_of(ask(direct.client("openai"))) == "Reset it."


@pytest.mark.parametrize("name", STREAMED)
def test_an_answer_arrives_piece_by_piece(world: World, name: str) -> None:
    """The first piece is read while the server still writes the others."""
    world.server.script(Reply(fault="stall"))
    stop = Event()
    parts = world.client(name).stream(request(), stop)
    assert isinstance(next(parts), Delta)
    stop.set()
    assert not any(isinstance(part, End) for part in parts)


def _conversation(body: dict[str, object]) -> str:
    return json.dumps(body, ensure_ascii=False)


@pytest.mark.parametrize("name", CLIENTS)
def test_rules_and_question_are_sent_with_the_maximum_of_tokens(world: World, name: str) -> None:
    """Each request holds the rules, the question and the maximum of tokens, and asks for no randomness."""
    ask(world.client(name), request(max_tokens=77))
    (sent,) = world.server.requests
    assert RULES in _conversation(sent.body)
    assert QUESTION in _conversation(sent.body)
    assert '": 77' in _conversation(sent.body)
    assert '"temperature": 0' in _conversation(sent.body) or '"do_sample": false' in _conversation(sent.body)


def test_a_key_is_sent_as_a_bearer_token(world: World) -> None:
    """An OpenAI-compatible server gets the key and the model's name."""
    ask(world.client("openai"))
    (sent,) = world.server.requests
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.body["model"] == "llama"


@pytest.mark.parametrize("name", [name for name in CLIENTS if "openai" not in name])
def test_a_request_to_aws_is_signed(world: World, name: str) -> None:
    """Requests to AWS are signed by boto3 for their service, and the path is the one that was signed."""
    ask(world.client(name))
    (sent,) = world.server.requests
    service = "bedrock" if "bedrock" in name else "sagemaker"
    assert sent.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert f"/eu-central-1/{service}/aws4_request" in sent.headers["authorization"]
    assert sent.path.startswith(
        "/model/anthropic.claude-x-v1%3A0/converse" if service == "bedrock" else "/endpoints/answers/invocations"
    )


@pytest.mark.parametrize("name", STREAMED)
def test_answers_in_several_threads_do_not_mix(world: World, name: str) -> None:
    """Eight threads use one client at a time, and each reads its own answer."""
    world.server.script(*(Reply(text=f"answer {number} " * 20) for number in range(8)), Reply())
    model, found = world.client(name), []
    threads = [threading.Thread(target=lambda: found.append(text_of(ask(model)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [f"answer {number} " * 20 for number in range(8)]


@pytest.mark.parametrize("fault", ["silent", "stall", "drip"])
@pytest.mark.parametrize("name", STREAMED)
def test_stop_closes_the_connection(world: World, name: str, fault: str) -> None:
    """Setting `stop` ends the call soon, and closes the connection to the server."""
    world.server.script(Reply(fault=fault))  # type: ignore[arg-type]  # pytest's parameters are strings
    stop, ended = Event(), Event()

    def run() -> None:
        parts = ask(world.client(name), stop=stop)
        assert not any(isinstance(part, End) for part in parts)
        ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: world.server.calls == 1)
    stop.set()
    wait_until(ended.is_set)
    wait_until(lambda: world.server.left == 1)
    thread.join()


@pytest.mark.parametrize("name", STREAMED)
def test_an_answer_that_nobody_reads_on_is_closed(world: World, name: str) -> None:
    """Closing the iterator, as a client's disconnect does, closes the connection to the model."""
    world.server.script(Reply(fault="stall"))
    parts = world.client(name).stream(request(), Event())
    next(parts)
    parts.close()
    wait_until(lambda: world.server.left == 1)


def test_a_connection_is_used_again(world: World) -> None:
    """A connection is reused after an answer, although its last event isn't the end of the body."""
    model = world.client("openai")

    def needs_none() -> bool:
        world.server.forget()
        ask(model)
        return world.server.connections == 0

    wait_until(needs_none)


@pytest.mark.parametrize("name", CLIENTS)
def test_no_secret_and_no_question_is_logged(world: World, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither keys nor the question are in our own log lines, in errors or in a client's repr."""
    caplog.set_level(logging.DEBUG, logger="ticketstream")
    model = world.client(name)
    ask(model)
    for hidden in (KEY, SECRET, QUESTION):
        assert hidden not in caplog.text + repr(model) + str(vars(model))
