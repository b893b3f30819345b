"""Protocols of an answer: who finds the evidence, and who writes the drafts."""

from collections.abc import Iterator
from threading import Event
from typing import Protocol

from msgspec import Struct

from answers.evidence import Evidence
from core.language_model import Tokens


class Draft(Struct, frozen=True):
    """A sentence that is not checked yet, with the numbers of the sources that it cites, from 1."""

    text: str
    sources: tuple[int, ...]


class Writer(Protocol):
    """Writes the sentences of an answer from evidence. Safe to use from any thread."""

    @property
    def name(self) -> str:
        """As it labels metrics and is shown to users."""
        ...

    def write(self, question: str, evidence: Evidence, stop: Event) -> Iterator[Draft | Tokens]:
        """The drafts, in order. Setting `stop` ends it soon.

        Raises:
            ModelError: the model failed; drafts that were yielded before stand.
        """
        ...
