"""Candidates, matches and hits for tests of searching."""

from core.index import Candidate
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
    return Candidate("acme", ticket_id, 1, chunk, passage, payload, similarity, words)


def matched(ticket_id: str, score: float, **payload: PayloadValue) -> Match:
    """A match with this score."""
    return Match(Candidate("acme", ticket_id, 1, 0, "text", payload, 0.5, 0.0), score, 0.0)


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
