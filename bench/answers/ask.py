"""Asks one question as the service does: solved tickets, their threads, the evidence, and the answer."""

from collections.abc import Sequence
from threading import Event as Stop
from typing import Final

from msgspec import Struct

from answers.answer import answer
from answers.chain import Chain, Link
from answers.events import Citation, Event, Refusal, Sentence
from answers.evidence import Evidence, Found, gather
from answers.extractive import ExtractiveWriter
from answers.writer import MIN_CONFIDENCE, Asked
from core.index import SearchQuery
from core.protocols import IndexReader
from runtime.searcher import Searcher

#: Number of tickets in a search.
TICKETS: Final = 10
EXTRACTIVE: Final = Chain(links=(Link(writer=ExtractiveWriter()),))


class Asking(Struct, frozen=True, eq=False):
    """A searcher and its index."""

    searcher: Searcher
    index: IndexReader


class Given(Struct, frozen=True):
    """An answer and its evidence."""

    evidence: Evidence
    events: tuple[Event, ...]

    @property
    def sentences(self) -> list[Sentence]:
        """The sentences that were sent."""
        return [event for event in self.events if isinstance(event, Sentence)]

    @property
    def text(self) -> str:
        """The sentences as one text."""
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def citations(self) -> list[Citation]:
        """The citations of all sentences."""
        return [citation for sentence in self.sentences for citation in sentence.citations]

    @property
    def refused(self) -> bool:
        """Whether there is a refusal instead."""
        return any(isinstance(event, Refusal) for event in self.events)


def find_evidence(tenant_id: str, question: str, asking: Asking, *, first: Sequence[str] = ()) -> Evidence:
    """The evidence for a question, with the tickets `first` regardless of the search."""
    query = SearchQuery(tenant_id=tenant_id, limit=TICKETS, solved=True, public_only=True)
    found = asking.searcher.search(question, query)
    hits = {hit.ticket_id: (hit.score, hit.exact) for hit in found.hits}
    hits |= dict.fromkeys(first, (max((hit.score for hit in found.hits), default=1.0), ()))
    return gather(
        [
            Found(score, thread, exact)
            for ticket_id, (score, exact) in hits.items()
            if (thread := asking.index.thread(tenant_id, ticket_id, public_only=True)) is not None
        ],
        tenant_id=tenant_id,
        confidence=found.confidence,
        nothing=found.nothing,
        language=found.language,
        model="bench",
    )


def give(
    tenant_id: str,
    question: str,
    evidence: Evidence,
    chain: Chain = EXTRACTIVE,
    *,
    min_confidence: float = MIN_CONFIDENCE,
) -> Given:
    """The answer from this evidence."""
    asked = Asked(answer_id="bench", tenant_id=tenant_id, question=question, min_confidence=min_confidence)
    return Given(evidence, tuple(answer(asked, evidence, chain, Stop())))
