"""The requests and drafts of writers, and the protocols of writers and observers."""

from collections.abc import Generator
from threading import Event
from typing import Final, Protocol

from msgspec import Struct

from answers.evidence import Evidence
from core.language_model import ModelError, Tokens

#: The confidence below which the evidence is not about the question (docs/answers.md).
MIN_CONFIDENCE: Final = 0.7


class Asked(Struct, frozen=True, kw_only=True):
    """A question, and its caller's tenant.

    Attributes:
        min_confidence: evidence with less is refused.
    """

    answer_id: str
    tenant_id: str
    question: str
    min_confidence: float = MIN_CONFIDENCE


class Draft(Struct, frozen=True):
    """A sentence that is not checked yet, with the numbers of the sources that it cites, from 1."""

    text: str
    sources: tuple[int, ...]


class Declined(Struct, frozen=True):
    """The writer says that the sources don't answer the question."""


#: An item that a writer yields.
Written = Draft | Declined | Tokens


class Writer(Protocol):
    """Writes the sentences of an answer from evidence. Safe to use from any thread."""

    @property
    def name(self) -> str:
        """Its name in metrics and messages."""
        ...

    def write(self, asked: Asked, evidence: Evidence, stop: Event) -> Generator[Written, None, None]:
        """The drafts, in order. Setting `stop`, or closing the generator, ends it soon.

        Raises:
            ModelError: the model failed; earlier drafts remain valid.
        """
        ...


class Observer(Protocol):
    """Gets refused drafts and failures, which are not in an answer's events, for metrics and logs."""

    def unsupported(self, writer: str, reason: str) -> None:
        """A draft did not pass the check."""
        ...

    def failed(self, writer: str, error: ModelError) -> None:
        """A writer failed."""
        ...
