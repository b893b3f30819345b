"""Candidates, matches and hits for tests of searching."""

from collections.abc import Mapping

import msgspec

from core.index import Candidate, Facts
from core.payload import PayloadValue
from search.fuse import Match
from search.result import RankedHit


def candidate(
    ticket_id: str = "1",
    passage: str = "text",
    *,
    similarity: float = 0.5,
    words: float = 0.0,
    chunk: int = 0,
    **payload: PayloadValue,
) -> Candidate:
    """A passage of tenant acme."""
    return candidate_with(payload, ticket_id, passage, similarity=similarity, words=words, chunk=chunk)


def candidate_with(
    payload: Mapping[str, PayloadValue],
    ticket_id: str = "1",
    passage: str = "text",
    *,
    similarity: float = 0.5,
    words: float = 0.0,
    chunk: int = 0,
) -> Candidate:
    """A passage of tenant acme with this payload."""
    return Candidate("acme", ticket_id, 1, chunk, passage, facts(payload), lambda: payload, similarity, words)


def facts(payload: Mapping[str, PayloadValue]) -> Facts:
    """The facts of a payload."""
    return msgspec.convert(payload, Facts)


def matched(ticket_id: str, score: float, **payload: PayloadValue) -> Match:
    """A match with this score."""
    return Match(candidate_with(payload, ticket_id), score, 0.0)


def hit(ticket_id: str, score: float = 0.5, passage: str = "text", **payload: PayloadValue) -> RankedHit:
    """A hit of tenant acme that was found by meaning."""
    return RankedHit(
        tenant_id="acme",
        ticket_id=ticket_id,
        version=1,
        score=score,
        similarity=score,
        words=0.0,
        why="meaning",
        chunk=0,
        passage=passage,
        payload=payload,
    )
