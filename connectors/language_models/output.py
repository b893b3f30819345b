"""The common bounds of language-model calls and their output."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Final

from connectors.language_models.transport import Bounds
from core.language_model import Delta, ModelError, ModelRequest, Part

#: Maximum average characters of a token: a run of spaces may be a single token.
_CHARS_PER_TOKEN: Final = 32
_CHARS: Final = 1_024
#: Maximum bytes of a reply per token, JSON included, and bytes for an error's reply.
_BYTES_PER_TOKEN: Final = 2_048
_BYTES: Final = 256 * 1024


def bounds_of(request: ModelRequest, stop: Event, *, idle_s: float) -> Bounds:
    """The bounds of a call that begins now."""
    return Bounds(
        deadline=time.monotonic() + request.timeout_s,
        idle_s=min(idle_s, request.timeout_s),
        max_bytes=_BYTES + _BYTES_PER_TOKEN * request.max_tokens,
        stop=stop,
    )


def check_length(parts: Iterator[Part], request: ModelRequest) -> Iterator[Part]:
    """`parts`, as long as their text is not much longer than `max_tokens` allow.

    Raises:
        ModelError: the output is much longer.
    """
    left = _CHARS + _CHARS_PER_TOKEN * request.max_tokens
    for part in parts:
        if isinstance(part, Delta):
            left -= len(part.text)
            if left < 0:
                raise ModelError(f"the output is longer than {request.max_tokens:,} tokens", kind="too_long")
        yield part


@contextmanager
def named(name: str) -> Iterator[None]:
    """Puts the model's name before the message of an error."""
    try:
        yield
    except ModelError as error:
        raise ModelError(f"{name}: {error}", kind=error.kind, retry_after_s=error.retry_after_s) from None
