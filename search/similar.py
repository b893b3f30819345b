"""Finds similar tickets: a ticket's stored vectors are the question, so its text isn't embedded again."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from core.errors import NoTicketError
from core.index import SearchQuery, Thread, ThreadPassage
from core.records import Vector
from operators.terms import question_terms
from search.calibration import calibration_of
from search.explain import hit_of
from search.facets import facets_of
from search.find import POOL, Plan
from search.fuse import Wanted, best_of_each_ticket, fuse
from search.rank import rank
from search.resources import Resources
from search.result import Answer

#: Number of passages that make the question: the first ones state the problem.
_PASSAGES: Final = 2
#: Number of their characters whose words are searched.
_CHARACTERS: Final = 2_000
#: Weight of the subject alone, in addition to the passages that contain it.
_SUBJECT: Final = 0.4
#: Weight of words. Many words of a ticket don't matter.
_WORDS: Final = 0.3


def find_similar(ticket_id: str, query: SearchQuery, resources: Resources, plan: Plan, *, now_ms: int) -> Answer:
    """The tenant's tickets that are most like one of them, without it.

    Raises:
        NoTicketError: the tenant has no such ticket.
        TransientError: the index doesn't answer.
    """
    thread = resources.index.thread(query.tenant_id, ticket_id, vectors=True, public_only=query.public_only)
    if thread is None or not thread.passages:
        raise NoTicketError(f"tenant {query.tenant_id} has no ticket {ticket_id!r}")
    own = _problem(thread)
    subject = str(own[0].payload.get("subject") or "")
    vector = _question(own, resources.embedder.embed([subject])[0] if subject else None)
    text = "\n".join([subject, *(passage.passage for passage in own)])[:_CHARACTERS]
    language = own[0].payload.get("language")
    terms = question_terms(text, language if isinstance(language, str) else None) if plan.words else None
    pool = msgspec.structs.replace(query, limit=max(query.limit, POOL) + 1)
    candidates = [one for one in resources.index.candidates(pool, vector, terms) if one.ticket_id != ticket_id]
    matches = best_of_each_ticket(fuse(Wanted((), (), _WORDS), candidates))
    ranked = rank(matches, plan.factors, now_ms, limit=query.limit)
    near = calibration_of(resources.embedder.stamp).near
    hits = tuple(hit_of(one, _WORDS, near) for one in ranked)
    return Answer(
        hits=hits,
        nothing=not hits,
        confidence=float(bool(hits)),
        words_weight=_WORDS,
        model=resources.embedder.stamp,
        facets=facets_of([match.candidate.facts for match in matches]),
    )


def _problem(thread: Thread) -> Sequence[ThreadPassage]:
    """The first passages by the customer; if the customer wrote none, the first ones of the ticket."""
    customer = [one for one in thread.passages if one.payload.get("role") == "customer"]
    return (customer or thread.passages)[:_PASSAGES]


def _question(own: Sequence[ThreadPassage], subject: Vector | None) -> Vector:
    """The mean of the passages' vectors and the subject's, float32[dim] of norm 1."""
    mean = np.mean([one.vector for one in own if one.vector is not None], axis=0, dtype=np.float32)
    mixed = mean if subject is None else (1 - _SUBJECT) * mean + _SUBJECT * subject
    return np.asarray(mixed / (np.linalg.norm(mixed) or 1), np.float32)
