"""Amazon Bedrock: Converse and ConverseStream, which serve the models of all its providers."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from threading import Event
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from connectors.language_models.aws import AwsClient, AwsResponse
from connectors.language_models.output import bounds_of, check_length, named
from connectors.language_models.transport import StoppedError
from core.language_model import Delta, End, ModelError, ModelRequest, Part, Tokens

_ENDS: Final = {
    "end_turn": End("stop"),
    "stop_sequence": End("stop"),
    "max_tokens": End("length"),
    "model_context_window_exceeded": End("length"),
    "content_filtered": End("filtered"),
    "guardrail_intervened": End("filtered"),
}

_Count = Annotated[int, Meta(ge=0, lt=2**31)]


class _Text(Struct):
    text: str | None = None  # reasoning and tool calls have none


class _Delta(Struct):
    delta: _Text


class _Stop(Struct, rename="camel"):
    stop_reason: str


class _Usage(Struct, rename="camel"):
    input_tokens: _Count
    output_tokens: _Count


class _Metadata(Struct):
    usage: _Usage


class _Event(Struct, rename="camel"):
    """An event of ConverseStream, which has one of these fields, or one that we don't read."""

    content_block_delta: _Delta | None = None
    message_stop: _Stop | None = None
    metadata: _Metadata | None = None


class _Message(Struct):
    content: list[_Text]


class _Output(Struct):
    message: _Message


class _Response(Struct, rename="camel"):
    """The response of Converse."""

    output: _Output
    stop_reason: str
    usage: _Usage


class BedrockModel:
    """Implements `core.language_model.LanguageModel`."""

    def __init__(
        self, model_id: str, *, client: AwsClient, idle_s: float, stream: bool, guardrail: str | None = None
    ) -> None:
        """A model, not called yet.

        Args:
            model_id: a model's, an inference profile's, or an ARN.
            client: makes the calls.
            idle_s: maximum silence of a stream, in seconds.
            stream: false: answers come in one piece.
            guardrail: ID:VERSION of a guardrail that checks questions and answers.
        """
        self._model_id = model_id
        self._client = client
        self._idle_s = idle_s
        self._stream = stream
        self._guardrail = guardrail
        self.name = f"bedrock:{model_id}"

    def stream(self, request: ModelRequest, stop: Event) -> Generator[Part, None, None]:
        """See `LanguageModel`."""
        operation, idle_s = ("converse_stream", self._idle_s) if self._stream else ("converse", request.timeout_s)
        bounds = bounds_of(request, stop, idle_s=idle_s)
        with named(self.name):
            try:
                with self._client.call(operation, bounds, self._arguments(request)) as response:
                    parts = _streamed(response["stream"]) if self._stream else _whole(response)
                    yield from check_length(parts, request)
            except StoppedError:
                return

    def _arguments(self, request: ModelRequest) -> Mapping[str, object]:
        identifier, _, version = (self._guardrail or "").rpartition(":")
        guardrail = {"guardrailIdentifier": identifier, "guardrailVersion": version}
        return ({"guardrailConfig": guardrail} if identifier else {}) | {
            "modelId": self._model_id,
            "system": [{"text": request.system}],
            "messages": [{"role": "user", "content": [{"text": request.prompt}]}],
            # AWS charges the quota with maxTokens when a call begins, and corrects it at the end
            "inferenceConfig": {"maxTokens": request.max_tokens, "temperature": 0},
        }


def _streamed(events: Iterable[AwsResponse]) -> Iterator[Part]:
    """The parts of a stream.

    Raises:
        ModelError: it isn't of the protocol, or ended without messageStop and metadata: botocore ends silently at half
            a frame, and at any end of the connection that HTTP permits.
    """
    end: End | None = None
    usage: _Usage | None = None
    for raw in events:
        event = msgspec.convert(raw, _Event)
        if event.content_block_delta is not None and event.content_block_delta.delta.text:
            yield Delta(event.content_block_delta.delta.text)
        if event.message_stop is not None:
            end = _end(event.message_stop.stop_reason)
        if event.metadata is not None:
            usage = event.metadata.usage
    if end is None or usage is None:
        raise ModelError("the answer ended without its last event", kind="cut_off")
    yield Tokens(usage.input_tokens, usage.output_tokens)
    yield end


def _whole(raw: AwsResponse) -> Iterator[Part]:
    response = msgspec.convert(raw, _Response)
    end = _end(response.stop_reason)
    text = "".join(block.text or "" for block in response.output.message.content)
    if text:
        yield Delta(text)
    yield Tokens(response.usage.input_tokens, response.usage.output_tokens)
    yield end


def _end(reason: str) -> End:
    if reason not in _ENDS:
        raise ModelError("the model ended for a reason that leaves no answer", kind="failed")
    return _ENDS[reason]
