"""The protocol of language models: request, output and errors."""

from collections.abc import Generator
from threading import Event
from typing import Literal, Protocol

from msgspec import Struct

from core.errors import TransientError

#: The kind of a language model's failure, a label of metrics.
ModelErrorKind = Literal[
    "throttled",  # too many requests
    "timeout",  # no answer in time
    "unavailable",  # no connection, or a fault of the server
    "cut_off",  # the answer ended early
    "protocol",  # the answer is malformed
    "too_long",  # the answer is longer than requested
    "denied",  # the key, the role or the model is refused
    "bad_request",  # the request is refused
    "failed",  # the model itself failed
    "circuit_open",  # the circuit breaker is open after repeated failures
    "over_budget",  # the tenant has used today's tokens
]


class ModelRequest(Struct, frozen=True, kw_only=True):
    """A request to a language model.

    Attributes:
        tenant_id: whose budget pays.
        system: the rules. They contain nothing that a user wrote.
        prompt: the question and the sources, as data.
        max_tokens: maximum tokens of the output.
        timeout_s: maximum duration of the whole call, in seconds.
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
    """The end of the output: by the model itself, at the maximum of tokens, or by a filter of the provider."""

    reason: Literal["stop", "length", "filtered"]


#: A piece of a language model's output.
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
        """Its name in metrics and messages."""
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
        """Reserve `tokens` of today's budget before a call; None if fewer are left."""
        ...

    def settle(self, reservation: Reservation, used: int) -> None:
        """Correct a reservation to the tokens that the call has used."""
        ...
