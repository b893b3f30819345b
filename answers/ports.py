"""Protocols of an answer: who writes the drafts, which of them may be asked, and who counts."""

from collections.abc import Generator
from threading import Event
from typing import Protocol

from msgspec import Struct

from answers.evidence import Evidence
from core.language_model import ModelError, Tokens


class Draft(Struct, frozen=True):
    """A sentence that is not checked yet, with the numbers of the sources that it cites, from 1."""

    text: str
    sources: tuple[int, ...]


class Declined(Struct, frozen=True):
    """The writer says that the sources don't answer the question."""


#: What writers yield.
Written = Draft | Declined | Tokens


class Writer(Protocol):
    """Writes the sentences of an answer from evidence. Safe to use from any thread."""

    @property
    def name(self) -> str:
        """As it labels metrics and is shown to users."""
        ...

    def write(self, question: str, evidence: Evidence, stop: Event) -> Generator[Written, None, None]:
        """The drafts, in order. Setting `stop`, or closing the generator, ends it soon.

        Raises:
            ModelError: the model failed; drafts that were yielded before stand.
        """
        ...


class Breaker(Protocol):
    """The circuit breaker of one model. Safe to use from any thread."""

    def allows(self) -> bool:
        """Whether the model may be asked now. After True it is told the outcome."""
        ...

    def succeeded(self) -> None:
        """The model answered, whatever it said."""
        ...

    def failed(self, error: ModelError) -> None:
        """The model failed."""
        ...

    def abandoned(self) -> None:
        """The call ended without an outcome: nobody waits for it any more."""
        ...


class Budget(Protocol):
    """The tokens that a tenant may use. Safe to use from any thread."""

    def allows(self, tenant_id: str) -> bool:
        """Whether the tenant has tokens left."""
        ...

    def spend(self, tenant_id: str, tokens: Tokens) -> None:
        """Count tokens that were used."""
        ...


class Observer(Protocol):
    """Is told what the events of an answer don't say, for metrics and logs."""

    def unsupported(self, writer: str, reason: str) -> None:
        """A draft did not pass the check."""
        ...

    def failed(self, writer: str, error: ModelError) -> None:
        """An attempt failed."""
        ...
