"""A language model's answer on the wire, by the path of the request."""

import json
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tests.rigs.language_models.event_stream import event, exception, payload_part

_AWS_ERRORS = {
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    400: "ValidationException",
}


class Spoken(Struct, frozen=True, kw_only=True):
    """An answer as a server would send it.

    Attributes:
        pieces: of a stream, up to the last of its text; the rest is in `end`.
        late: an error in place of the next piece.
        garbage: a piece that isn't of the protocol.
        whole: the body of an answer that isn't streamed.
        error_headers: of an answer with `status`; its body is `error`.
    """

    content_type: str
    pieces: tuple[bytes, ...]
    end: tuple[bytes, ...]
    late: bytes
    garbage: bytes
    whole: bytes
    error: bytes
    error_headers: Mapping[str, str]


def speak(path: str, body: Mapping[str, Any], text: str, tokens: tuple[int, int], status: int) -> Spoken | None:
    """`text` in the format of the API at `path`; None for an unknown path."""
    if path.endswith("/chat/completions"):
        return _chat(text, tokens, status)
    if re.fullmatch(r"/model/[^/]+/converse(-stream)?", path):
        return _converse(text, tokens, status)
    if re.fullmatch(r"/endpoints/[^/]+/invocations(-response-stream)?", path):
        inner = _chat(text, tokens, status) if "messages" in body else _inputs(text, tokens)
        return _sagemaker(inner, status)
    return None


def words(text: str) -> list[str]:
    """`text` in pieces, as a model streams it."""
    return re.findall(r"\s*\S+|\s+", text)


def _chat(text: str, tokens: tuple[int, int], status: int) -> Spoken:
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    message = {"role": "assistant", "content": text}
    error = {"error": {"message": "quotes the question, and the key sk-secret", "type": "x_error", "code": "a_code"}}
    return Spoken(
        content_type="text/event-stream",
        pieces=(
            b": a comment\n\n",
            _sse({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}),
            *(
                _sse({"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}], "usage": None})
                for word in words(text)
            ),
        ),
        end=(
            _sse({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
            _sse({"choices": [], "usage": usage}),
            b"data: [DONE]\n\n",
        ),
        late=_sse(error),
        garbage=b"data: {oops\n\n",
        whole=json.dumps({"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}).encode(),
        error=json.dumps(error).encode(),
        error_headers={"x-status": str(status)},
    )


def _inputs(text: str, tokens: tuple[int, int]) -> Spoken:
    details = {"finish_reason": "eos_token", "generated_tokens": tokens[1]}
    last = {"token": {"id": 0, "text": "</s>", "special": True}, "generated_text": text, "details": details}
    return Spoken(
        content_type="text/event-stream",
        pieces=tuple(_sse({"token": {"id": 1, "text": word, "special": False}}) for word in words(text)),
        end=(_sse(last),),
        late=_sse({"error": "quotes the question", "error_type": "generation"}),
        garbage=b"data: {oops\n\n",
        whole=json.dumps([{"generated_text": text}]).encode(),
        error=b"",
        error_headers={},
    )


def _converse(text: str, tokens: tuple[int, int], status: int) -> Spoken:
    usage = {"inputTokens": tokens[0], "outputTokens": tokens[1], "totalTokens": sum(tokens)}
    message = {"role": "assistant", "content": [{"text": text}]}
    whole = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 5}}
    return Spoken(
        content_type="application/vnd.amazon.eventstream",
        pieces=(
            event("messageStart", {"role": "assistant"}),
            *(event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}}) for word in words(text)),
        ),
        end=(
            event("contentBlockStop", {"contentBlockIndex": 0}),
            event("messageStop", {"stopReason": "end_turn"}),
            event("metadata", {"usage": usage, "metrics": {"latencyMs": 5}}),
        ),
        late=exception("modelStreamErrorException", {"message": "quotes the question", "originalStatusCode": 500}),
        garbage=b"\x00\xff" * 64,
        whole=json.dumps(whole).encode(),
        **_aws_error(status),
    )


def _sagemaker(inner: Spoken, status: int) -> Spoken:
    return Spoken(
        content_type="application/vnd.amazon.eventstream",
        # a part may end anywhere in a line
        pieces=tuple(payload_part(piece[:9]) + payload_part(piece[9:]) for piece in inner.pieces),
        end=tuple(payload_part(piece) for piece in inner.end),
        late=exception(
            "ModelStreamError", {"Message": "quotes the question", "ErrorCode": "ModelInvocationTimeExceeded"}
        ),
        garbage=payload_part(inner.garbage),
        whole=inner.whole,
        **_aws_error(status),
    )


def _aws_error(status: int) -> dict[str, Any]:
    code = _AWS_ERRORS.get(status, "InternalServerException")
    return {
        "error": json.dumps({"message": "quotes the question"}).encode(),
        "error_headers": {"x-amzn-ErrorType": f"{code}:http://internal.amazon.com/coral/com.amazon.bedrock/"},
    }


def _sse(content: object) -> bytes:
    return f"data: {json.dumps(content)}\n\n".encode()
