"""The steps of a new ticket: classify, find, answer, decide.

Each is a function with its own role; all are in one zip. A step reads the ticket by its ids and returns ids and labels,
so that the state machine's history has no text of a ticket. Every step may be repeated.
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import msgspec

from core.contract import UpsertEvent
from core.settings import Settings
from core.ticket_store import TicketQuery
from lambdas.function import Call, Event, Handle, OpenHandle
from lambdas.workflow.resources import Resources, open_resources
from runtime.similar_tickets import WholeAnswer
from runtime.telemetry import Telemetry
from services.tickets.triage import (
    ANSWER,
    Draft,
    Facts,
    Neighbour,
    Verdict,
    decided,
    is_handled,
    may_repeat,
    repeats,
    vote,
    with_draft,
    with_verdict,
)
from services.tickets.triage import decide as decide_by

#: Neighbours that vote on labels, and solved tickets that are looked for.
_NEIGHBOURS: Final = 20
_SOLVED: Final = 5
#: Tickets of the same customer, newest first, that may be the same.
_RECENT: Final = 20
#: The question about a ticket without a subject.
_QUESTION: Final = "How was this problem solved?"
#: Characters of the subject in the question; the service adds the ticket's first words.
_MAX_QUESTION: Final = 1_000

Step = Callable[[Resources, Telemetry, Event], Event]


def classify(resources: Resources, _telemetry: Telemetry, event: Event) -> Event:
    """The labels of the nearest tickets, and whether the ticket is spam or a person has taken it up already.

    Raises:
        NoTicketError: it is deleted.
        NotIndexedError: it isn't in the index yet.
        TransientError, UnavailableError: a dependency doesn't answer.
    """
    ticket = resources.read(event)
    if is_handled(ticket, new=resources.new) and decided(ticket) is None:
        return {"handled": True, "spam": False, "labels": {}}
    with resources.rag.of(ticket.tenant_id) as rag:
        found = rag.similar(ticket.ticket_id, limit=_NEIGHBOURS)
    labels = vote(Neighbour(hit.similarity, hit.payload.category, hit.payload.priority) for hit in found.hits)
    spam = (ticket.category or labels.category) in resources.spam
    return {"handled": False, "spam": spam, "labels": msgspec.to_builtins(labels)}


def find(resources: Resources, _telemetry: Telemetry, event: Event) -> Event:
    """The solved tickets that are most like the ticket, and the older one that it repeats.

    Raises:
        NoTicketError, NotIndexedError, TransientError, UnavailableError: as `classify`.
    """
    ticket = resources.read(event)
    duplicate_of = _duplicate_of(resources, ticket)
    if duplicate_of is not None:
        return {"duplicate_of": duplicate_of, "answerable": False, "nearest": []}
    with resources.rag.of(ticket.tenant_id) as rag:
        found = rag.similar(ticket.ticket_id, limit=_SOLVED, solved=True)
    answerable = bool(found.hits) and not found.nothing
    return {"duplicate_of": None, "answerable": answerable, "nearest": [hit.ticket_id for hit in found.hits]}


def _duplicate_of(resources: Resources, ticket: UpsertEvent) -> str | None:
    if ticket.customer_id is None:
        return None
    query = TicketQuery(tenant_id=ticket.tenant_id, limit=_RECENT, customer_id=ticket.customer_id)
    for row in resources.store.find(query).tickets:
        if may_repeat(ticket, row, new=resources.new):
            other = resources.store.get(ticket.tenant_id, row.ticket_id)
            if isinstance(other, UpsertEvent) and repeats(ticket, other):
                return other.ticket_id
    return None


def answer(resources: Resources, _telemetry: Telemetry, event: Event) -> Event:
    """Ask for an answer, and put it into the thread as a draft, unless the thread has one.

    Raises:
        NoTicketError, NotIndexedError, TransientError, UnavailableError: as `classify`.
        FatalError: the ticket has no room for it.
    """
    ticket = resources.read(event)
    if (answer_id := ticket.attributes.get(ANSWER)) is not None:
        return {"answered": True, "answer_id": answer_id}
    question = " ".join(ticket.subject.split())[:_MAX_QUESTION] or _QUESTION
    with resources.rag.of(ticket.tenant_id) as rag:
        given = rag.answer(question, ticket_id=ticket.ticket_id)
    if given.outcome != "answered" or not given.sentences:
        return {"answered": False, "answer_id": given.answer_id}
    draft = _draft(given)

    def drafted(current: UpsertEvent, now_ms: int) -> UpsertEvent | None:
        return None if ANSWER in current.attributes else with_draft(current, draft, now_ms=now_ms)

    resources.change(ticket, drafted)
    return {"answered": True, "answer_id": given.answer_id}


def _draft(given: WholeAnswer) -> Draft:
    return Draft(
        given.answer_id,
        tuple(
            (one.text, tuple(dict.fromkeys(given.sources[citation.source - 1].ticket_id for citation in one.citations)))
            for one in given.sentences
        ),
    )


def decide(resources: Resources, telemetry: Telemetry, event: Event) -> Event:
    """Decide whether to draft, escalate or file, and write the decision into the ticket.

    Raises:
        NoTicketError, TransientError, UnavailableError: as `classify`.
        FatalError: the ticket can't be kept.
    """
    facts = msgspec.convert(event["facts"], Facts)
    ticket = resources.read(event)
    verdict = decide_by(facts)
    found: list[Verdict] = []

    def written(current: UpsertEvent, now_ms: int) -> UpsertEvent | None:
        if (before := decided(current)) is not None or is_handled(current, new=resources.new):
            found.append(before or Verdict("none", "handled"))
            return None
        return with_verdict(current, verdict, facts, now_ms=now_ms)

    resources.change(ticket, written)
    if found:
        return _event(found[-1])
    telemetry.count("tickets_workflow_decisions_total", verdict.decision, verdict.reason)
    return _event(verdict)


def _event(verdict: Verdict) -> Event:
    return {"decision": verdict.decision, "reason": verdict.reason}


def opened(step: Step) -> OpenHandle:
    """Opens the handler of a step."""

    def open_step(settings: Settings, stack: ExitStack, telemetry: Telemetry) -> Handle:
        resources = open_resources(settings, stack)

        def handle(event: Event, _call: Call) -> Event:
            return step(resources, telemetry, event)

        return handle

    return open_step
