"""The requests of the RAG service."""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from typing import Annotated, Final, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Header, Path, Query
from msgspec import Struct
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from answers.events import Done, Event, Refusal, Usage
from core.errors import ConfigError, NoTicketError
from core.feedback import Feedback
from operators.redact import redact_text
from search.result import Answer
from services.http.app import Responses, describe, problems
from services.http.authentication import require
from services.http.callers import Caller
from services.http.context import stop_of
from services.http.problems import Problem, invalid
from services.rag.answering import Answering, Question, agent_of
from services.rag.pulling import Pool, Pulled
from services.rag.requests import AnswerBody, FeedbackBody, Filters, SearchBody, SimilarParameters, query_of
from services.rag.responses import AnswerDocument, SearchResult, answer_response, event_parts, found_response

#: A prefix of each router, because the label of a route in metrics is its path in its own router.
_PREFIX: Final = "/api/v1"
_STREAM: Final = "text/event-stream"
_WEIGHT: Final = re.compile(r"[01](?:\.\d{0,3})?")
_HEARTBEAT_S: Final = 15
#: A client that reads nothing for this long is disconnected.
_SLOW_S: Final = 30.0
_EVENTS: Final = (
    "Server-sent events where `Accept` prefers text/event-stream: `sources`, `sentence` or `refusal`, `usage`, `done`. "
    "Each one's data is a JSON object. A stream that ends without `done` has failed; `problem` says why."
)

#: Every role may ask; the tenant is always the token's.
Asker = Annotated[Caller, Depends(require("agent", "operator", "service"))]
Stop = Annotated[threading.Event, Depends(stop_of)]

T = TypeVar("T")


class Service(Struct, frozen=True, eq=False):
    """The dependencies of the routes."""

    answering: Answering
    pool: Pool


def rag_routes(service: Service) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["answers"])
    router.include_router(_search_routes(service))
    router.include_router(_answer_routes(service))
    router.include_router(_feedback_routes(service))
    return router


def _search_routes(service: Service) -> APIRouter:
    router = APIRouter(prefix=_PREFIX)
    answering, pool = service.answering, service.pool

    @router.post("/search", operation_id="search", response_model=SearchResult, responses=problems("timeout"))
    async def search(body: SearchBody, caller: Asker, stop: Stop) -> Response:
        """Find the caller's tenant's tickets by meaning and by words."""
        query = _mistakes_of("filters", partial(query_of, caller, body.limit, body.filters))()
        find = partial(answering.search, body.question, query, plain=body.plain)
        return found_response(await pool.run(_mistakes_of("question", find), stop))

    @router.get(
        "/tickets/{ticket_id:path}/similar",
        operation_id="similar_tickets",
        response_model=SearchResult,
        responses=problems("not-found", "timeout"),
    )
    async def similar(
        ticket_id: Annotated[str, Path(max_length=128, examples=["T-1042"])],
        asked: Annotated[SimilarParameters, Query()],
        caller: Asker,
        stop: Stop,
    ) -> Response:
        """Find the tickets that are most like one of them."""

        def find() -> Answer:
            query = query_of(caller, asked.limit, Filters(solved=asked.solved))
            return answering.similar(ticket_id, query, plain=asked.plain)

        return found_response(await pool.run(_mistakes_of("ticket_id", find), stop))

    return router


def _answer_routes(service: Service) -> APIRouter:
    router = APIRouter(prefix=_PREFIX)
    answering, pool = service.answering, service.pool
    content: Responses = {200: {"description": _EVENTS, "content": {_STREAM: {"schema": {"type": "string"}}}}}

    @router.post(
        "/answers",
        operation_id="answer",
        response_model=AnswerDocument,
        responses=content | problems("not-found", "timeout"),
    )
    async def answer(
        body: AnswerBody, caller: Asker, stop: Stop, accept: Annotated[str, Header(include_in_schema=False)] = "*/*"
    ) -> Response:
        """Answer a question from solved tickets: every sentence cites what supports it, or there is a refusal."""
        question = Question(
            tenant_id=caller.tenant_id,
            user_id=caller.user_id,
            text=body.question,
            ticket_id=body.ticket_id,
            sources=body.limit,
        )
        began = time.perf_counter()
        pulled = pool.pull(partial(answering.answer, question, stop), stop)
        first = await _first(pulled)
        answering.telemetry.observe("tickets_answer_first_event_seconds", time.perf_counter() - began)
        events = _counted(answering, first, pulled)
        if _wants_stream(accept):
            return EventSourceResponse(_stream(events), ping=_HEARTBEAT_S, send_timeout=_SLOW_S)
        return answer_response([event async for event in events])

    return router


def _feedback_routes(service: Service) -> APIRouter:
    router = APIRouter(prefix=_PREFIX)
    answering, pool = service.answering, service.pool

    @router.post(
        "/answers/{answer_id}/feedback",
        operation_id="give_feedback",
        status_code=204,
        responses=problems("not-found", "timeout"),
    )
    async def feedback(
        answer_id: Annotated[str, Path(pattern="^[0-9a-f]{32}$", examples=["0123456789abcdef0123456789abcdef"])],
        body: FeedbackBody,
        caller: Asker,
        stop: Stop,
    ) -> None:
        """Give feedback on an answer. An agent has one vote on each pair of question and ticket: the last one."""
        await pool.run(partial(_vote, answering, caller, answer_id, body), stop)

    return router


def _vote(answering: Answering, caller: Caller, answer_id: str, body: FeedbackBody) -> None:
    answer = answering.feedback.answer(caller.tenant_id, answer_id)
    if answer is None:
        raise Problem("not-found", "The tenant has no answer of this id, or it is older than 30 days.")
    answering.vote(
        Feedback(
            answer=answer,
            agent=agent_of(caller.tenant_id, caller.user_id),
            verdict=body.verdict,
            at_ms=int(answering.clock() * 1000),
            text=None if body.text is None else redact_text(body.text),
            reason=None if body.reason is None else redact_text(body.reason),
        )
    )
    answering.telemetry.count("tickets_feedback_total", body.verdict)


def _mistakes_of(field: str, work: Callable[[], T]) -> Callable[[], T]:
    """Wrap `work`: its ConfigErrors, which are the caller's mistakes, become problems of this field."""

    def checked() -> T:
        try:
            return work()
        except NoTicketError:
            raise
        except ConfigError as error:
            raise invalid(field, str(error)) from None

    return checked


async def _first(pulled: Pulled[Event]) -> Event:
    """The first event. An error before it becomes a problem document, even if a stream was asked for."""
    try:
        first = await pulled.next()
    except NoTicketError:
        raise
    except ConfigError as error:
        raise invalid("question", str(error)) from None
    if first is None:
        raise asyncio.CancelledError  # the caller has disconnected
    return first


async def _counted(answering: Answering, first: Event, pulled: Pulled[Event]) -> AsyncIterator[Event]:
    """All events; counts the outcome at their end."""
    outcome, writer = "failed", "none"
    try:
        yield first
        async for event in pulled.rest():
            if isinstance(event, Refusal):
                outcome = event.reason
            elif isinstance(event, Usage):
                writer = event.model
            elif isinstance(event, Done) and event.outcome == "answered":
                outcome = "answered"
            yield event
    except (asyncio.CancelledError, GeneratorExit):
        outcome = "left"
        raise
    finally:
        pulled.stop()
        answering.telemetry.count("tickets_answers_total", writer, outcome)


async def _stream(events: AsyncIterator[Event]) -> AsyncIterator[ServerSentEvent]:
    try:
        async for event in events:
            name, fields = event_parts(event)
            yield _sent(name, fields)
    except Exception as error:
        problem = describe(error)
        if problem is None:
            raise
        yield _sent("problem", {"title": problem.title, "status": problem.status, "detail": problem.detail})


def _sent(name: str, fields: dict[str, object]) -> ServerSentEvent:
    return ServerSentEvent(msgspec.json.encode(fields).decode(), event=name)


def _wants_stream(accept: str) -> bool:
    """Whether `accept` prefers an event stream to JSON; of two that it likes alike, the first counts."""
    best, streams = 0.0, False
    for part in accept.lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        quality = _quality(parameters)
        if quality > best and media_type in (_STREAM, "text/*", "application/json", "application/*", "*/*"):
            best, streams = quality, media_type in (_STREAM, "text/*")
    return streams


def _quality(parameters: Iterable[str]) -> float:
    """The weight of a media type, at most 1 (RFC 9110, section 12.4.2); a malformed one is 1."""
    given = next((one[2:].strip() for one in parameters if one.startswith("q=")), "")
    return min(1.0, float(given)) if _WEIGHT.fullmatch(given) else 1.0
