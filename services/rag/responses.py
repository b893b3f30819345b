"""The JSON documents of the responses, as described by the OpenAPI document."""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from pydantic import BaseModel
from starlette.responses import Response

from answers.events import Done, Event, RefusalReason, Sentence, Sources
from search.result import Answer


class FactorDocument(BaseModel):
    """A bounded multiplier of a score, with its reason in words."""

    name: str
    value: float
    reason: str


class Hit(BaseModel):
    """A ticket found. `search/result.py` says what each field means."""

    tenant_id: str
    ticket_id: str
    version: int
    score: float
    similarity: float
    words: float
    why: Literal["words", "meaning", "both"]
    chunk: int
    passage: str
    payload: dict[str, str | int | float | bool | list[str] | dict[str, str | int | float | bool | None] | None]
    exact: list[str]
    bonus: float
    factors: list[FactorDocument]
    message: int
    start: int | None
    end: int | None
    solved: bool
    resolution: bool


class SearchResult(BaseModel):
    """The tickets found, best first.

    `nothing` is true if probably none is relevant. `confidence` is the probability that the first one is.
    `facets` count all tickets found, including those beyond the limit: at least ten, if that many match. `model` is the
    embedding model's stamp.
    """

    hits: list[Hit]
    nothing: bool
    confidence: float
    identifiers: list[str]
    phrases: list[str]
    facets: dict[str, dict[str, int]]
    model: str


class SourceDocument(BaseModel):
    """A public message of an agent in a solved ticket. `reasons` say why it ranks above others with a similar score."""

    tenant_id: str
    ticket_id: str
    version: int
    subject: str
    chunk: int
    message: int
    text: str
    score: float
    message_at: int | None
    start: int | None
    end: int | None
    resolution: bool
    language: str | None
    reasons: list[str]


class CitationDocument(BaseModel):
    """Characters [start, end) of the text of a source, which is numbered from 1."""

    source: int
    start: int
    end: int


class SentenceDocument(BaseModel):
    """A sentence that its citations support."""

    text: str
    citations: list[CitationDocument]


class RefusalDocument(BaseModel):
    """Why there is no answer. `nearest` has the source numbers of the nearest tickets, best first."""

    reason: RefusalReason
    text: str
    nearest: list[int]


class UsageDocument(BaseModel):
    """The model and the tokens of the answer. `degraded` says why the first model of the chain didn't write it."""

    model: str
    input_tokens: int
    output_tokens: int
    degraded: str | None


class AnswerDocument(BaseModel):
    """An answer, or an honest refusal."""

    answer_id: str
    outcome: Literal["answered", "refused"]
    sentences: list[SentenceDocument]
    sources: list[SourceDocument]
    refusal: RefusalDocument | None
    usage: UsageDocument


#: Fields of a `search.result.Answer` that the service shows.
_SHOWN: Final = tuple(SearchResult.model_fields)
_TAG: Final = "type"


def found_response(found: Answer) -> Response:
    """The answer to a search."""
    return _json({name: getattr(found, name) for name in _SHOWN})


def answer_response(events: Iterable[Event]) -> Response:
    """A complete answer as one document."""
    document: dict[str, object] = {"refusal": None}
    sentences: list[object] = []
    for event in events:
        name, fields = event_parts(event)
        if isinstance(event, Sources | Done):
            document |= fields
        elif isinstance(event, Sentence):
            sentences.append(fields)
        else:
            document[name] = fields
    return _json({**document, "sentences": sentences})


def event_parts(event: Event) -> tuple[str, dict[str, object]]:
    """The name of an event, and its fields."""
    fields = msgspec.to_builtins(event)
    return fields.pop(_TAG), fields


def _json(document: dict[str, object]) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")
