"""The answer to a question: ranked tickets, each with an explanation of its rank."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from core.payload import PayloadValue

#: The reason why a ticket was found.
Why = Literal["words", "meaning", "both"]


class Factor(Struct, frozen=True):
    """A bounded multiplier of a hit's score, with its reason in words."""

    name: str
    value: float
    reason: str


class RankedHit(Struct, frozen=True, kw_only=True):
    """A ticket found, with the scores of its best passage, and the passage to show.

    They are the same unless the best one is too short to say anything apart from the ticket's subject.

    Attributes:
        score: by which hits are ranked: the match of the best passage times the factors.
        similarity: cosine similarity of the best passage to the question.
        words: its BM25 score as a share of the highest among all passages found for the question.
        exact: identifiers and quoted phrases of the question that it holds.
        bonus: the part of the score for them, before the factors.
        chunk: number of the shown passage in its ticket.
        message: index of its message, -1 for the ticket's own subject and body.
        start: first character of the passage in the message's cleaned text; None if the index doesn't know it.
        end: the character after its last.
        solved: the ticket is solved, and was not reopened.
        resolution: the passage belongs to the message that solved it.
        payload: the other fields of the passage's payload.
    """

    tenant_id: str
    ticket_id: str
    version: int
    score: float
    similarity: float
    words: float
    why: Why
    chunk: int
    passage: str
    payload: Mapping[str, PayloadValue]
    exact: tuple[str, ...] = ()
    bonus: float = 0.0
    factors: tuple[Factor, ...] = ()
    message: int = -1
    start: int | None = None
    end: int | None = None
    solved: bool = False
    resolution: bool = False


class Answer(Struct, frozen=True, kw_only=True):
    """The hits for a question, best first.

    Attributes:
        nothing: no hit is likely to answer the question; the hits are the nearest tickets.
        confidence: calibrated probability that the first hit is about the question, 0 to 1; 0 without hits.
        words_weight: the share of words in the score; the rest is meaning.
        identifiers: identifiers of the question that the hits' tenant has.
        phrases: the question's quoted phrases.
        model: stamp of the embedding model that found the hits.
        facets: number of the tickets found, beyond the limit too, by field and value (`search.facets`).
        language: ISO 639-1 code of the question's language, if it is sure.
    """

    hits: tuple[RankedHit, ...] = ()
    nothing: bool = True
    confidence: float = 0.0
    words_weight: float = 0.0
    identifiers: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    model: str = ""
    facets: Mapping[str, Mapping[str, int]] = {}
    language: str | None = None
