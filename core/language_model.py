"""Language models: what they are asked, what they answer, and how they fail."""

from collections.abc import Generator
from threading import Event
from typing import Literal, Protocol

from msgspec import Struct

from core.errors import TransientError

#: How a language model fails, as it labels a metric: too many requests; no answer in time; no connection, or a fault of
#: the server; an answer that ended early; one that isn't of the protocol; one longer than was asked for; the key, the
#: role or the model is refused; the request is refused; the model itself failed; the model has failed too often and is
#: left alone for a while; the tenant has used the tokens of its day.
ModelErrorKind = Literal[
    "throttled",
    "timeout",
    "unavailable",
    "cut_off",
    "protocol",
    "too_long",
    "denied",
    "bad_request",
    "failed",
    "circuit_open",
    "over_budget",
]


class ModelRequest(Struct, frozen=True, kw_only=True):
    """What a language model is asked.

    Attributes:
        tenant_id: whose budget pays.
        system: the rules. They contain nothing that a user wrote.
        prompt: the question and the sources, as data.
        max_tokens: maximum tokens of the output.
        timeout_s: the whole time that the model may take, in seconds.
    """

    tenant_id: str
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


#: What a language model answers, piece by piece.
Part = Delta | Tokens | End


class ModelError(TransientError):
    """A language model failed. The message quotes neither the question, nor a ticket, nor a key."""

    def __init__(self, message: str, *, kind: ModelErrorKind, retry_after_s: float | None = None) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.kind = kind


class LanguageModel(Protocol):
    """Text in, text out. Safe to use from any thread."""

    @property
    def name(self) -> str:
        """As it labels metrics and is shown to users."""
        ...

    def stream(self, request: ModelRequest, stop: Event) -> Generator[Part, None, None]:
        """The output, piece by piece; `End` is the last.

        Setting `stop` closes the connection within a second; the output then ends without `End`. Closing the generator
        closes the connection too.

        Raises:
            ModelError: see `ModelErrorKind`; an output that was cut off included.
        """
        ...


class Reservation(Struct, frozen=True):
    """Tokens that a call may use, taken from the budget of a tenant's day, which is counted from 1970 in UTC."""

    tenant_id: str
    day: int
    tokens: int


class TokenBudget(Protocol):
    """Tokens that each tenant may use in a day of UTC. Safe to use from any thread; raises nothing."""

    def reserve(self, tenant_id: str, tokens: int) -> Reservation | None:
        """Take `tokens` from today's budget before a call; None if so many aren't left."""
        ...

    def settle(self, reservation: Reservation, used: int) -> None:
        """Correct a reservation to what the call has used."""
        ...
