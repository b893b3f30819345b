"""Language models: what they are asked, what they answer, and how they fail."""

from collections.abc import Iterator
from threading import Event
from typing import Literal, Protocol

from msgspec import Struct

from core.errors import TransientError


class ModelRequest(Struct, frozen=True, kw_only=True):
    """What a language model is asked.

    Attributes:
        system: the rules. They contain nothing that a user wrote.
        prompt: the question and the sources, as data.
        max_tokens: maximum tokens of the output.
        timeout_s: the whole time that the model may take, in seconds.
    """

    system: str
    prompt: str
    max_tokens: int
    timeout_s: float


class Delta(Struct, frozen=True):
    """The next piece of the output."""

    text: str


class Tokens(Struct, frozen=True):
    """Tokens that the model counted."""

    input: int
    output: int


class End(Struct, frozen=True):
    """The model has ended: by itself, at the maximum of tokens, or because a filter of the provider stopped it."""

    reason: Literal["stop", "length", "filtered"]


class ModelError(TransientError):
    """A language model failed. The message quotes neither the question nor a ticket.

    Attributes:
        kind: a short name, as it labels a metric.
    """

    def __init__(self, message: str, *, kind: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.kind = kind


class LanguageModel(Protocol):
    """Text in, text out. Safe to use from any thread."""

    @property
    def name(self) -> str:
        """As it labels metrics and is shown to users."""
        ...

    def stream(self, request: ModelRequest, stop: Event) -> Iterator[Delta | Tokens | End]:
        """The output, piece by piece; `End` is the last, and an output that ends without it was cut off.

        Setting `stop` ends the call within a second or so.

        Raises:
            ModelError: throttled, timed out, cut off, unavailable, or an answer that isn't of the protocol.
        """
        ...
