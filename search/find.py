"""Searches for a question: reads it, retrieves by meaning and by words, fuses, groups by ticket, ranks and explains."""

from string import punctuation
from typing import Final

import msgspec
from msgspec import Struct

from core.index import SearchQuery
from operators.pii.find import find_pii
from operators.terms import identifiers, question_terms, term_id
from search.calibration import calibration_of
from search.confidence import THRESHOLD, confidence
from search.explain import hit_of
from search.facets import facets_of
from search.fuse import best_of_each_ticket, folded, fuse, gate, holds_all
from search.marks import marks_of, stressed
from search.question import ReadQuestion, read_question
from search.rank import Factors, rank
from search.resources import Passages, Resources
from search.result import Answer
from search.words import forms_of

#: Minimum tickets of each retrieval: the final first ticket may rank low in both. With twice as many no figure of
#: finding in docs/search.md is better, and each passage takes time.
POOL: Final = 10
#: The minimum confidence in the question's language. With less, a lone identifier is detected as Portuguese.
_SURE: Final = 0.4
#: Number of tickets that are filtered by a quoted phrase.
_PHRASE_POOL: Final = 200


class Plan(Struct, frozen=True, kw_only=True):
    """The options of a search.

    Attributes:
        factors: the strength of the ranking factors.
        words: whether words count as well as meaning.
        min_confidence: below it an answer is marked as "nothing found"; 0 disables that.
    """

    factors: Factors = Factors()
    words: bool = True
    min_confidence: float = THRESHOLD


def find(text: str, query: SearchQuery, resources: Resources, plan: Plan, *, now_ms: int) -> Answer:
    """The tenant's tickets that match `text` best, by meaning and by words.

    Raises:
        ConfigError: the question is empty, or a filter in it is wrong or contradicts `query`.
        TransientError: the index doesn't answer.
    """
    question = read_question(text, query)
    safe = _redacted(question, resources.index)
    guess = resources.detector.classify(safe)
    languages = question.query.language or (() if guess is None else guess[:1])
    named = identifiers(safe) if plan.words else ()
    terms = question_terms(safe, *languages) if plan.words else None
    if terms is not None and question.long:
        named = marks_of(named)
        terms = stressed(terms, named)
    vector = resources.embedder.embed([safe], "query")[0]
    pool = msgspec.structs.replace(question.query, limit=max(query.limit, _PHRASE_POOL if question.phrases else POOL))
    candidates = resources.index.candidates(pool, vector, terms)
    words = forms_of(safe, languages)
    texts = folded(candidates) if named or question.phrases else ()
    wanted = gate(question, named, words, candidates, texts)
    matches = fuse(wanted, candidates, texts)
    if question.required:
        matches = [match for match in matches if holds_all(match, question.phrases)]
    best = best_of_each_ticket(matches)
    calibration = calibration_of(resources.embedder.stamp)
    sure = confidence(words, best, calibration)
    ranked = rank(best, plan.factors, now_ms, limit=query.limit)
    return Answer(
        hits=tuple(hit_of(one, wanted.words_weight, calibration.near) for one in ranked),
        nothing=not ranked or sure < plan.min_confidence,
        confidence=round(sure, 4),
        words_weight=wanted.words_weight,
        identifiers=wanted.identifiers,
        phrases=wanted.phrases,
        model=resources.embedder.stamp,
        facets=facets_of([match.candidate.facts for match in best]),
        language=None if guess is None or guess[1] < _SURE else guess[0],
    )


def _redacted(question: ReadQuestion, index: Passages) -> str:
    """The question redacted as tickets are, except where a finding is an identifier that the tenant's tickets hold.

    Redaction depends on the context: a ticket keeps the number in "order 555-0134-22", but a question with the number
    alone seems to hold a telephone number.
    """
    text = question.text
    spans = find_pii(text)
    if not spans:
        return text
    tenant, public = question.query.tenant_id, question.query.public_only
    values = {span: text[span.start : span.end].casefold().strip(punctuation) for span in spans}
    whole = {span: term_id(value) for span, value in values.items() if identifiers(value)[:1] == (value,)}
    known = index.known(tenant, list(whole.values()), public_only=public) if whole else frozenset()
    pieces, at = [], 0
    for span in spans:
        kept = whole.get(span) in known
        pieces += [text[at : span.start], text[span.start : span.end] if kept else f"[{span.kind}]"]
        at = span.end
    return "".join([*pieces, text[at:]])
