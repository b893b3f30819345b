"""OpenAI's chat completions: the body of a request, and replies, streamed or whole."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from connectors.language_models.lines import data_lines
from core.language_model import Delta, End, ModelError, ModelRequest, Part, Tokens

_DONE: Final = b"[DONE]"
_ENDS: Final = {
    "stop": End("stop"),
    "eos_token": End("stop"),
    "stop_sequence": End("stop"),
    "end_turn": End("stop"),
    "length": End("length"),
    "max_tokens": End("length"),
    "content_filter": End("filtered"),
}
#: Kinds of errors that replace a reply's next piece, by words in their code or type.
_THROTTLED: Final = ("rate_limit", "overloaded", "quota", "too_many")

#: Exceptions of decoding, including those for too deep nesting and strings that aren't UTF-8.
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_Count = Annotated[int, Meta(ge=0, lt=2**31)]


class _Text(Struct):
    content: str | None = None


class _Choice(Struct):
    delta: _Text | None = None
    message: _Text | None = None
    finish_reason: str | None = None


class _Usage(Struct):
    prompt_tokens: _Count = 0
    completion_tokens: _Count = 0


class _Error(Struct):
    type: str | None = None
    code: str | int | None = None


class _Reply(Struct):
    """A piece of a streamed reply, or a whole one."""

    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: _Error | str | None = None


_DECODER: Final = msgspec.json.Decoder(_Reply)


def chat_body(request: ModelRequest, *, model: str | None, stream: bool) -> bytes:
    """The body of a request. SageMaker's containers have one model and get no name."""
    body: dict[str, object] = {
        "messages": [{"role": "system", "content": request.system}, {"role": "user", "content": request.prompt}],
        "max_tokens": request.max_tokens,
        "temperature": 0,
        "stream": stream,
    }
    if model is not None:
        body["model"] = model
    if stream:
        body["stream_options"] = {"include_usage": True}
    return msgspec.json.encode(body)


def streamed_chat(chunks: Iterable[bytes], *, done: bool) -> Iterator[Part]:
    """The parts of a streamed reply. With `done`, it must end with `[DONE]` as well as a finish reason.

    Raises:
        ModelError: an error replaced a piece, a piece is malformed, or the end is missing.
    """
    end: End | None = None
    tokens: Tokens | None = None
    complete = not done
    for data in data_lines(chunks):
        if data == _DONE:
            complete = True
            break
        reply = decode_chat(data)
        for choice in reply.choices[:1]:
            if choice.delta is not None and choice.delta.content:
                yield Delta(choice.delta.content)
            end = _end(choice.finish_reason) or end
        tokens = _tokens(reply) or tokens
    if end is None or not complete:
        raise ModelError("the answer ended without its last event", kind="cut_off")
    if tokens is not None:
        yield tokens
    yield end


def whole_chat(body: bytes) -> Iterator[Part]:
    """The parts of a reply that arrived at once; raises as `streamed_chat` does."""
    reply = decode_chat(body)
    choice = reply.choices[0] if reply.choices else _Choice()
    if choice.message is None or (end := _end(choice.finish_reason)) is None:
        raise ModelError("the answer has no message, or no finish reason", kind="protocol")
    if choice.message.content:
        yield Delta(choice.message.content)
    if (tokens := _tokens(reply)) is not None:
        yield tokens
    yield end


def decode_chat(data: bytes) -> _Reply:
    """A reply, or a piece of one.

    Raises:
        ModelError: it is an error, or isn't of the protocol.
    """
    try:
        reply = _DECODER.decode(data)
    except _UNREADABLE:
        raise ModelError("the answer isn't a chat completion", kind="protocol") from None
    if reply.error is not None:
        words = "" if isinstance(reply.error, str) else f"{reply.error.type} {reply.error.code}".lower()
        throttled = "429" in words or any(word in words for word in _THROTTLED)
        raise ModelError("the server reported an error", kind="throttled" if throttled else "failed")
    return reply


def error_code(body: bytes) -> str | None:
    """The code of an error reply's body, if it has one."""
    try:
        error = _DECODER.decode(body).error
    except _UNREADABLE:
        return None
    return None if error is None or isinstance(error, str) else str(error.code or error.type)


def _end(reason: str | None) -> End | None:
    """The end with a reply's finish reason.

    Raises:
        ModelError: it ended for a reason that leaves no answer.
    """
    if not reason:
        return None
    if reason not in _ENDS:
        raise ModelError("the model ended for a reason that leaves no answer", kind="failed")
    return _ENDS[reason]


def _tokens(reply: _Reply) -> Tokens | None:
    return None if reply.usage is None else Tokens(reply.usage.prompt_tokens, reply.usage.completion_tokens)
