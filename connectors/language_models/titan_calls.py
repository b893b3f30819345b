"""Calls of Amazon Titan Text Embeddings V2 on Bedrock, one text each, and the meaning of their errors."""

import json
import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta, Struct

from connectors.language_models.aws import AwsClient, open_aws_client
from connectors.language_models.transport import Bounds, StoppedError, Transport
from core.errors import FatalError, RefusedError, TicketstreamError, TransientError
from core.language_model import ModelError
from core.model_settings import TITAN
from core.records import Vector

#: Called after each call with the tokens that the model counted, 0, and the call's seconds.
OnCall = Callable[[int, int, float], None]

#: A text that the model accepts.
PROBE: Final = "ticket"

_MODEL_ID: Final = "amazon.titan-embed-text-v2:0"
_NAME: Final = "TICKETS_MODEL__NAME"
_REGION: Final = "TICKETS_MODEL__AWS_REGION"
#: Maximum bytes of a text. The model refuses texts of more than 8,192 tokens or 50,000 characters. Its tokenizer isn't
#: published, but a tokenizer makes no more tokens of a text than it has bytes, some special tokens apart.
_MAX_BYTES: Final = 8_000
#: Sent in place of a blank text, which the model refuses.
_BLANK: Final = "-"
#: Maximum bytes of a reply: it has each number twice, of up to 25 bytes.
_MAX_REPLY_BYTES: Final = 256 * 1024

_Count = Annotated[int, Meta(ge=0, lt=2**31)]


class _Reply(Struct, rename="camel"):
    """The response of InvokeModel, without `embeddingsByType`, which repeats the numbers."""

    embedding: list[float]
    input_text_token_count: _Count


def titan_stamp(dimension: int) -> str:
    """The stamp of the model's vectors of this size."""
    return f"{TITAN}/bedrock/{_MODEL_ID}/{dimension}/normalised"


def open_titan_calls(
    transport: Transport, *, region: str | None, dimension: int, stop: Event, on_call: OnCall
) -> "TitanCalls":
    """Open the client without a call.

    Raises:
        ConfigError: there is no region, or boto3's own settings are wrong.
    """
    client = open_aws_client("bedrock-runtime", transport, region=region, setting=_NAME, region_setting=_REGION)
    return TitanCalls(client, dimension=dimension, stop=stop, on_call=on_call)


class TitanCalls:
    """Calls the model, without retries. Safe to use from any thread."""

    def __init__(self, client: AwsClient, *, dimension: int, stop: Event, on_call: OnCall) -> None:
        """Ask for vectors of `dimension` numbers. `stop` ends every call; `on_call` is called after each."""
        self._client = client
        self._dimension = dimension
        self._stop = stop
        self._on_call = on_call

    def vector(self, text: str, deadline: float) -> Vector:
        """float32[dimension] of norm 1, unless it is zero or has NaN or infinity: then the text is at fault.

        Args:
            text: it is cut at 8,000 bytes.
            deadline: latest end, on time.monotonic().

        Raises:
            ModelError: the call failed, or the answer isn't of the protocol.
            TransientError: `stop` was set.
        """
        began = time.perf_counter()
        left = max(0.001, deadline - time.monotonic())
        bounds = Bounds(deadline=deadline, idle_s=left, max_bytes=_MAX_REPLY_BYTES, stop=self._stop)
        body = {"inputText": _accepted(text), "dimensions": self._dimension, "normalize": True}
        arguments = {
            "modelId": _MODEL_ID,
            "contentType": "application/json",
            "accept": "application/json",
            "body": msgspec.json.encode(body),
        }
        try:
            with self._client.call("invoke_model", bounds, arguments) as response:
                # the standard library's parser, because it reads NaN
                reply = msgspec.convert(json.loads(response["body"].read()), _Reply)
        except StoppedError:
            raise TransientError("the process is shutting down") from None
        size = len(reply.embedding)
        if size != self._dimension:
            raise ModelError(f"the answer has {size:,} numbers instead of {self._dimension:,}", kind="protocol")
        self._on_call(reply.input_text_token_count, 0, time.perf_counter() - began)
        return _unit(reply.embedding)

    def refusal(self, error: ModelError, deadline: float) -> TicketstreamError:
        """The cause of a ValidationException, `error`: if the model accepts another text, this one is at fault."""
        try:
            self.vector(PROBE, deadline)
        except ModelError as other:
            if other.kind != "bad_request":
                return self.failure(other)
            return FatalError(
                f"{_NAME}: Amazon Bedrock in {self._client.region} refuses every request for {_MODEL_ID} ({other}); "
                f"set {_REGION} to a region that has the model"
            )
        return RefusedError(f"Titan refuses the text ({error})")

    def failure(self, error: ModelError) -> TicketstreamError:
        """The error for any other failure: FatalError if this process may not call the model, else an outage."""
        if error.kind == "denied":
            return FatalError(
                f"{_NAME}: Amazon Bedrock in {self._client.region} denies {_MODEL_ID} to this process ({error}); give "
                f"its role bedrock:InvokeModel on the model, and the account access to it, or set {_REGION} to a "
                "region that has it"
            )
        return TransientError(
            f"Amazon Bedrock in {self._client.region}: {error}",
            retry_after_s=error.retry_after_s,
            overload=error.kind in {"throttled", "timeout"},
        )


def _accepted(text: str) -> str:
    """`text` in a form that the model accepts: not blank, not too long, and without halves of characters."""
    if not text.strip():
        return _BLANK
    return text.encode("utf-8", "replace")[:_MAX_BYTES].decode("utf-8", "ignore")


def _unit(numbers: Sequence[float]) -> Vector:
    """float32[n] of norm 1, unless all numbers are zero or one isn't finite."""
    vector = np.array(numbers, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        norm = np.linalg.norm(vector)
        if 0 < norm < np.inf:
            vector /= norm
        return vector.astype(np.float32)
