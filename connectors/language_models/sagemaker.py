"""A SageMaker endpoint whose container generates text: TGI, LMI or vLLM, with one of their two forms of requests."""

from collections.abc import Callable, Generator, Iterable, Iterator
from threading import Event
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from connectors.language_models.aws import AwsClient, AwsResponse
from connectors.language_models.chat import chat_body, streamed_chat, whole_chat
from connectors.language_models.lines import data_lines
from connectors.language_models.output import bounds_of, check_length, named
from connectors.language_models.transport import StoppedError
from core.language_model import Delta, End, ModelError, ModelRequest, Part, Tokens

#: `messages` is OpenAI's format, for which the container applies the model's chat template; `inputs` is plain text.
RequestFormat = Literal["messages", "inputs"]

_ENDS: Final = {
    "eos_token": End("stop"),
    "stop_sequence": End("stop"),
    "stop": End("stop"),
    "length": End("length"),
}

_Count = Annotated[int, Meta(ge=0, lt=2**31)]


class _Token(Struct):
    text: str = ""
    special: bool = False


class _Details(Struct):
    finish_reason: str | None = None
    generated_tokens: _Count | None = None


class _Piece(Struct):
    """A line of a streamed answer to `inputs`; `details` come with the last."""

    token: _Token | None = None
    details: _Details | None = None
    error: str | None = None


class _Whole(Struct):
    """An answer to `inputs` that arrived at once."""

    generated_text: str


class SageMakerModel:
    """Implements `core.language_model.LanguageModel`."""

    def __init__(
        self, endpoint: str, *, client: AwsClient, request_format: RequestFormat, idle_s: float, stream: bool
    ) -> None:
        """Without `stream` answers come in one piece, from InvokeEndpoint."""
        self._endpoint = endpoint
        self._client = client
        self._format = request_format
        self._idle_s = idle_s
        self._stream = stream
        self.name = f"sagemaker:{endpoint}"

    def stream(self, request: ModelRequest, stop: Event) -> Generator[Part, None, None]:
        """See `LanguageModel`."""
        operation = "invoke_endpoint_with_response_stream" if self._stream else "invoke_endpoint"
        bounds = bounds_of(request, stop, idle_s=self._idle_s if self._stream else request.timeout_s)
        arguments = {
            "EndpointName": self._endpoint,
            "ContentType": "application/json",
            "Body": self._body(request),
        }
        with named(self.name):
            try:
                with self._client.call(operation, bounds, arguments) as response:
                    yield from check_length(self._parts(response["Body"]), request)
            except StoppedError:
                return

    def _body(self, request: ModelRequest) -> bytes:
        if self._format == "messages":
            return chat_body(request, model=None, stream=self._stream)
        return msgspec.json.encode(
            {
                "inputs": f"{request.system}\n\n{request.prompt}",
                "parameters": {"max_new_tokens": request.max_tokens, "do_sample": False, "return_full_text": False},
                "stream": self._stream,
            }
        )

    def _parts(self, body: Any) -> Iterator[Part]:
        if self._stream:
            pieces = _payload(body)
            # not every container sends [DONE]; a stream that was cut off has no finish reason
            return streamed_chat(pieces, done=False) if self._format == "messages" else _streamed_inputs(pieces)
        read: Callable[[], bytes] = body.read
        return whole_chat(read()) if self._format == "messages" else _whole_inputs(read())


def _payload(events: Iterable[AwsResponse]) -> Iterator[bytes]:
    """The bytes of an event stream; an event may hold any part of a line."""
    for event in events:
        if "PayloadPart" in event:
            yield event["PayloadPart"]["Bytes"]


def _streamed_inputs(chunks: Iterable[bytes]) -> Iterator[Part]:
    for line in data_lines(chunks):
        piece = msgspec.json.decode(line, type=_Piece)
        if piece.error is not None:
            raise ModelError("the container reported an error", kind="failed")
        if piece.token is not None and piece.token.text and not piece.token.special:
            yield Delta(piece.token.text)
        if piece.details is not None and piece.details.finish_reason is not None:
            if piece.details.generated_tokens is not None:
                yield Tokens(0, piece.details.generated_tokens)
            yield _end(piece.details.finish_reason)
            return
    raise ModelError("the answer ended without its last event", kind="cut_off")


def _whole_inputs(body: bytes) -> Iterator[Part]:
    whole = msgspec.json.decode(body, type=list[_Whole] | _Whole)
    texts = whole if isinstance(whole, list) else [whole]
    if not texts:
        raise ModelError("the answer holds no text", kind="protocol")
    if texts[0].generated_text:
        yield Delta(texts[0].generated_text)
    yield End("stop")


def _end(reason: str) -> End:
    if reason not in _ENDS:
        raise ModelError("the model ended for a reason that leaves no answer", kind="failed")
    return _ENDS[reason]
