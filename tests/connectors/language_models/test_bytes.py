"""Streams that are cut or changed at any byte: a client reads the whole answer, or fails with a ModelError."""

from collections.abc import Iterator, Mapping
from random import Random
from threading import Event
from typing import Any, Final, cast

import pytest
from msgspec import Struct

from connectors.language_models.aws import AwsClient, Service, open_aws_client
from connectors.language_models.transport import Bounds, Transport
from core.language_model import End, ModelError, Part
from tests.connectors.language_models.clients import STREAMED, World, aws_environment, request, text_of
from tests.rigs.language_models import LanguageModelServer
from tests.rigs.language_models.dialects import speak

_TEXT: Final = "Grüße 🔑."
#: The operation of each client, by its name.
_PATHS: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "openai": ("/v1/chat/completions", {}),
    "bedrock": ("/model/m/converse-stream", {}),
    "sagemaker": ("/endpoints/e/invocations-response-stream", {"messages": []}),
    "sagemaker inputs": ("/endpoints/e/invocations-response-stream", {}),
}

#: JSON, or nearly, that is no piece of a chat.
_NO_CHATS: Final = (
    b"null",
    b"[]",
    b"[1]",
    b'""',
    b"{}",
    b"7",
    b'{"choices":null}',
    b'{"choices":[null]}',
    b'{"choices":[{"delta":7}]}',
    b'{"choices":[{"delta":{"content":7}}]}',
    b'{"choices":[{"finish_reason":7}]}',
    b'{"choices":[{"finish_reason":"tool_calls"}]}',
    b'{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":-1}}',
    b'{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":1e99}}',
    b'{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":99999999999999}}',
    b'{"choices":[{"finish_reason":"stop"}],"error":{"message":[[]]}}',
    b'{"choices":[{"finish_reason":"stop"}],"error":"busy"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"\xff\xfe",
)


class _Reply(Struct):
    content: bytes
    size: int
    status: int = 200
    headers: Mapping[str, str] = {}

    def chunks(self) -> Iterator[bytes]:
        for place in range(0, len(self.content), self.size):
            yield self.content[place : place + self.size]

    def read(self) -> bytes:
        return self.content

    def leave(self) -> None: ...

    def close(self) -> None: ...


class _Wire:
    """A fake `Transport` that replies with given bytes."""

    def __init__(self) -> None:
        self.content = b""
        self.size = 1 << 20

    def post(self, _url: str, _headers: Mapping[str, str], _body: bytes, _bounds: Bounds) -> _Reply:
        return _Reply(self.content, self.size)


@pytest.fixture(scope="module")
def wire() -> _Wire:
    return _Wire()


@pytest.fixture(scope="module")
def world(wire: _Wire) -> Iterator[World]:
    """Clients whose transport is the wire."""
    transport = cast(Transport, wire)
    with LanguageModelServer() as unused, pytest.MonkeyPatch.context() as patch:
        aws_environment(unused.url, patch)
        services: tuple[Service, ...] = ("bedrock-runtime", "sagemaker-runtime")
        clients: dict[Service, AwsClient] = {
            service: open_aws_client(service, transport, region=None) for service in services
        }
        yield World(unused, transport, transport, clients)


def _good(name: str, *, events: int | None = None) -> bytes:
    """A valid answer with `events` of the events that follow its text (None: all)."""
    path, body = _PATHS[name]
    spoken = speak(path, body, _TEXT, (30, 9), 200)
    assert spoken is not None
    return b"".join((*spoken.pieces, *spoken.end[:events]))


def _read(world: World, name: str) -> list[Part] | None:
    """The output, or None if it failed with a ModelError."""
    try:
        return list(world.client(name).stream(request(), Event()))
    except ModelError:
        return None


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("name", STREAMED)
def test_a_chunk_may_end_anywhere(world: World, wire: _Wire, name: str, size: int) -> None:
    """An answer is the same however the network splits it."""
    wire.content, wire.size = _good(name), size
    parts = _read(world, name)
    assert parts is not None
    assert text_of(parts) == _TEXT
    assert parts[-1] == End("stop")


@pytest.mark.parametrize("name", STREAMED)
def test_an_answer_that_ends_early_is_a_failure(world: World, wire: _Wire, name: str) -> None:
    """An answer that is cut after any byte is a failure."""
    # Not every SageMaker container sends [DONE]: its answer is complete with finish_reason.
    whole, wire.size = _good(name, events=1 if name == "sagemaker" else None), 1 << 20
    for length in range(0, len(whole.rstrip()), 1 if name == "openai" else 3):
        wire.content = whole[:length]
        assert _read(world, name) is None, whole[:length]


@pytest.mark.parametrize("name", STREAMED)
def test_changed_bytes_raise_nothing_else(world: World, wire: _Wire, name: str) -> None:
    """Whatever bytes a server sends, a client ends with `End` or a ModelError."""
    whole, wire.size = _good(name), 1 << 20
    rng = Random(19)
    for _ in range(400):
        changed = bytearray(whole)
        for _ in range(rng.choice((1, 1, 2, 8))):
            place = rng.randrange(len(changed))
            match rng.randrange(3):
                case 0:
                    changed[place] = rng.randrange(256)
                case 1:
                    del changed[place : place + rng.choice((1, 4, 40))]
                case _:
                    changed[place:place] = rng.randbytes(rng.choice((1, 4, 40)))
        wire.content = bytes(changed)
        parts = _read(world, name)
        assert parts is None or isinstance(parts[-1], End)


@pytest.mark.parametrize("line", _NO_CHATS, ids=range(len(_NO_CHATS)))
def test_a_line_of_other_json_is_no_answer(world: World, wire: _Wire, line: bytes) -> None:
    """Valid JSON of another form, however deep, is a failure."""
    wire.content, wire.size = b"data: " + line + b"\n\ndata: [DONE]\n\n", 1 << 20
    assert _read(world, "openai") is None
