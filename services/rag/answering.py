"""Answers a question: finds the evidence, then writes the answer or repeats a cached one for the same evidence."""

import hashlib
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from threading import Event as Stop
from typing import Final

import msgspec
from msgspec import Struct

from answers.answer import answer
from answers.chain import Chain
from answers.events import Done, Event, Sentence, Sources, Usage
from answers.evidence import Evidence, Found, Source, gather
from answers.key import answer_key
from answers.writer import Asked
from core.cache import Cache
from core.errors import NoTicketError, TicketstreamError
from core.feedback import Feedback, FeedbackStore, GivenAnswer
from core.index import SearchQuery, Thread
from operators.redact import redact_text
from runtime.control import MAX_QUESTION
from runtime.searcher import Searcher
from runtime.telemetry import Telemetry
from search.result import Answer
from search.usefulness import rank_by_usefulness
from services.rag.known_votes import KnownVotes

logger: Final = logging.getLogger("ticketstream.answers")

#: The maximum number of tickets whose resolutions may become evidence.
_TICKETS: Final = 10
#: The minimum number of hits that are ranked by usefulness.
_POOL: Final = 20
#: The maximum number of characters of a ticket that are added to a question about it.
_CONTEXT: Final = 1_500
_CACHE_S: Final = 3_600.0
#: Sources are public messages only, even for agents, because they send answers on.
_AUDIENCE: Final = "public"

_EVENTS: Final = msgspec.json.Decoder(tuple[Event, ...])


class Question(Struct, frozen=True, kw_only=True):
    """A user's question. `ticket_id` is the ticket that it is about, `sources` the maximum number of sources."""

    tenant_id: str
    user_id: str
    text: str
    ticket_id: str | None
    sources: int


class Answering(Struct, frozen=True, kw_only=True, eq=False):
    """Answers questions. Safe to use from any thread. `useful` is the strength of the usefulness factor."""

    searcher: Searcher
    chain: Chain
    feedback: FeedbackStore
    known: KnownVotes
    cache: Cache
    telemetry: Telemetry
    useful: float
    clock: Callable[[], float] = time.time

    def search(self, text: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        """The tenant's tickets that match best. See `Searcher.search`."""
        return self._useful(self.searcher.search(text, _wider(query), plain=plain), query, plain=plain)

    def similar(self, ticket_id: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        """The tenant's tickets that are most like one of them. See `Searcher.similar`."""
        return self._useful(self.searcher.similar(ticket_id, _wider(query), plain=plain), query, plain=plain)

    def answer(self, question: Question, stop: Stop) -> Iterator[Event]:
        """The events of an answer. Once `stop` is set they end, without `Done`.

        Raises:
            NoTicketError: the tenant has no ticket `ticket_id`.
            ConfigError: the question is empty, or a filter in it is wrong.
            TransientError, UnavailableError: the index doesn't answer.
        """
        asked = Asked(answer_id=uuid.uuid4().hex, tenant_id=question.tenant_id, question=question.text)
        evidence = self._evidence(question)
        key = answer_key(
            question.text,
            evidence,
            self.chain,
            tenant_id=question.tenant_id,
            audience=_AUDIENCE,
            min_confidence=asked.min_confidence,
        )
        kept = self._kept(key, asked.answer_id)
        given: list[Event] = []
        for event in answer(asked, evidence, self.chain, stop) if kept is None else kept:
            given.append(event)
            if isinstance(event, Done):
                if kept is None and not _degraded(given):
                    self.cache.put(key, msgspec.json.encode(given), ttl_s=_CACHE_S)
                self._remember(question, given, evidence.sources)
            yield event

    def vote(self, feedback: Feedback) -> None:
        """Keep feedback. Searches of this process see it at once, those of others a little later.

        Raises:
            TransientError: the store is unavailable.
        """
        self.feedback.vote(feedback)
        self.known.forget(feedback.answer.tenant_id, feedback.answer.tickets)

    def _evidence(self, question: Question) -> Evidence:
        text = question.text
        if question.ticket_id is not None:
            text = f"{text}\n{self._context(question.tenant_id, question.ticket_id)}"[:MAX_QUESTION]
        query = SearchQuery(
            tenant_id=question.tenant_id, limit=_TICKETS + 1, solved=True, public_only=True
        )  # with the ticket itself, which is left out
        found = self.search(text, query)
        hits = {hit.ticket_id: hit for hit in found.hits if hit.ticket_id != question.ticket_id}
        chosen = list(hits)[:_TICKETS]
        threads = self.searcher.threads(question.tenant_id, chosen, public_only=True)
        return gather(
            [Found(hits[thread.ticket_id].score, thread, hits[thread.ticket_id].exact) for thread in threads],
            tenant_id=question.tenant_id,
            confidence=found.confidence,
            nothing=found.nothing,
            language=found.language,
            model=found.model,
            limit=question.sources,
        )

    def _context(self, tenant_id: str, ticket_id: str) -> str:
        """Subject and first words of a ticket, without its internal notes."""
        threads = self.searcher.threads(tenant_id, [ticket_id], public_only=True)
        if not threads or not threads[0].passages:
            raise NoTicketError(f"tenant {tenant_id} has no ticket {ticket_id!r}")
        return _problem(threads[0])[:_CONTEXT]

    def _useful(self, found: Answer, query: SearchQuery, *, plain: bool) -> Answer:
        strength = 0.0 if plain else self.useful
        tickets = [hit.ticket_id for hit in found.hits]
        votes = self.known.votes(query.tenant_id, tickets) if strength else {}
        return rank_by_usefulness(found, votes, strength=strength, limit=query.limit)

    def _kept(self, key: str, answer_id: str) -> Iterator[Event] | None:
        """The events of a cached answer, with the new answer's id; None if there is none."""
        value = self.cache.get(key)
        self.telemetry.count("tickets_answer_cache_total", "miss" if value is None else "hit")
        if value is None:
            return None
        try:
            events = _EVENTS.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):  # of another version, or damaged
            return None
        if not events or not isinstance(events[-1], Done):
            return None
        return (_renamed(event, answer_id) for event in events)

    def _remember(self, question: Question, given: list[Event], sources: tuple[Source, ...]) -> None:
        """Store the answer, so that feedback can refer to it. A failure is only logged."""
        sentences = [event for event in given if isinstance(event, Sentence)]
        cited = {citation.source for sentence in sentences for citation in sentence.citations}
        tickets = dict.fromkeys(sources[number - 1].ticket_id for number in sorted(cited))
        kept = GivenAnswer(
            tenant_id=question.tenant_id,
            answer_id=next(event.answer_id for event in given if isinstance(event, Done)),
            agent=agent_of(question.tenant_id, question.user_id),
            question=redact_text(question.text),
            question_key=_hash(question.tenant_id, " ".join(question.text.casefold().split())),
            text=" ".join(sentence.text for sentence in sentences),
            tickets=tuple(tickets),
            model=next(event.model for event in given if isinstance(event, Usage)),
            at_ms=int(self.clock() * 1000),
        )
        try:
            self.feedback.remember(kept)
        except TicketstreamError as error:
            logger.warning("an answer can't be voted on: %s", error)


def agent_of(tenant_id: str, user_id: str) -> str:
    """The hash that identifies a user in feedback."""
    return _hash(tenant_id, user_id)


def _hash(*parts: str) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]


def _wider(query: SearchQuery) -> SearchQuery:
    return msgspec.structs.replace(query, limit=max(query.limit, _POOL))


def _problem(thread: Thread) -> str:
    customer = [one for one in thread.passages if one.payload.get("role") == "customer"]
    first = (customer or thread.passages)[0]
    return f"{first.payload.get('subject') or ''}\n{first.passage}"


def _degraded(given: list[Event]) -> bool:
    return any(isinstance(event, Usage) and event.degraded is not None for event in given)


def _renamed(event: Event, answer_id: str) -> Event:
    """A cached event as a part of a new answer, which used no tokens."""
    if isinstance(event, Sources | Done):
        return msgspec.structs.replace(event, answer_id=answer_id)
    if isinstance(event, Usage):
        return msgspec.structs.replace(event, input_tokens=0, output_tokens=0)
    return event
