"""Triage of a new ticket: the workflow's notes in it, and its decision to draft, to escalate or to file.

Pure. A ticket keeps what was done with it in its attributes, so a step that is repeated, even after months, finds it
there and does nothing.
"""

from collections.abc import Collection, Iterable
from typing import Final, Literal

import msgspec
from msgspec import Struct

from core.contract import Message, UpsertEvent, datetime_from_ms, milliseconds
from core.ticket_store import TicketSummary, version_of

Decision = Literal["draft", "escalate", "file", "none"]
#: answered: a draft is in the thread. nothing_found and refused: there is no good answer. failed: a step failed.
#: handled: a person was faster, so there is nothing to decide.
Reason = Literal["answered", "nothing_found", "refused", "failed", "spam", "duplicate", "handled"]

#: Status of a filed ticket. It is neither open nor solved, so it never becomes evidence, and agents can reopen it.
FILED: Final = "filed"
ANSWER: Final = "workflow_answer"
DECISION: Final = "workflow_decision"
REASON: Final = "workflow_reason"
DUPLICATE_OF: Final = "workflow_duplicate_of"

#: Maximum age of the ticket that a new one repeats.
_DUPLICATE_MS: Final = 7 * 86_400_000
#: A label of the nearest tickets counts if this number of them has one, and this share of their similarity agrees.
_MIN_VOTES: Final = 3
_MIN_SHARE: Final = 0.8
_HEADING: Final = "Suggested answer, not sent:"


class Neighbour(Struct, frozen=True):
    """A similar ticket: cosine similarity, and labels if it has any."""

    similarity: float
    category: str | None = None
    priority: str | None = None


class Labels(Struct, frozen=True):
    """Category and priority of most of the nearest tickets; None where they don't agree."""

    category: str | None = None
    priority: str | None = None


class Facts(Struct, frozen=True, kw_only=True):
    """The results of the steps before the decision. The defaults are those of steps that were left out.

    Attributes:
        labels: of the nearest tickets.
        spam: their category is one of spam.
        duplicate_of: id of the ticket that this one repeats.
        answerable: a solved ticket is probably about the same problem.
        answered: a draft is in the thread.
        failed: name of the step that failed.
    """

    labels: Labels = Labels()
    spam: bool = False
    duplicate_of: str | None = None
    answerable: bool = False
    answered: bool = False
    failed: str = ""


class Verdict(Struct, frozen=True):
    """A decision and its reason."""

    decision: Decision
    reason: Reason


class Draft(Struct, frozen=True):
    """An answer to put into the thread: its sentences, each with the ids of the tickets that it cites."""

    answer_id: str
    sentences: tuple[tuple[str, tuple[str, ...]], ...]


def vote(neighbours: Iterable[Neighbour]) -> Labels:
    """The labels on which the nearest tickets agree, weighted by their similarity."""
    found = list(neighbours)
    return Labels(
        _agreed([(one.category, one.similarity) for one in found]),
        _agreed([(one.priority, one.similarity) for one in found]),
    )


def _agreed(votes: Iterable[tuple[str | None, float]]) -> str | None:
    weights: dict[str, float] = {}
    given = [(label, max(0.0, weight)) for label, weight in votes if label]
    for label, weight in given:
        weights[label] = weights.get(label, 0.0) + weight
    best = max(weights, key=weights.__getitem__, default=None)
    if best is None or len(given) < _MIN_VOTES or weights[best] < _MIN_SHARE * sum(weights.values()):
        return None
    return best


def may_repeat(ticket: UpsertEvent, other: TicketSummary, *, new: Collection[str]) -> bool:
    """Whether the ticket may be a copy of `other`, an older ticket of its customer that is still `new`."""
    created_ms = milliseconds(ticket.created_at)
    return (
        other.status in new
        and (other.created_ms, other.ticket_id) < (created_ms, ticket.ticket_id)
        and created_ms - other.created_ms <= _DUPLICATE_MS
    )


def repeats(ticket: UpsertEvent, other: UpsertEvent) -> bool:
    """Whether both say the same, apart from case and white space. Two empty tickets say nothing."""
    said = _words(ticket)
    return bool(said) and said == _words(other)


def _words(ticket: UpsertEvent) -> list[str]:
    return f"{ticket.subject}\n{ticket.body}".casefold().split()


def is_handled(ticket: UpsertEvent, *, new: Collection[str]) -> bool:
    """Whether a person was faster: an agent has written, or the status is not in `new`, the statuses of new tickets."""
    return ticket.status not in new or any(one.author == "agent" for one in ticket.messages)


def decide(facts: Facts) -> Verdict:
    """The decision. A failure leaves the ticket to a person, whatever the other steps found."""
    if facts.failed:
        return Verdict("escalate", "failed")
    if facts.spam:
        return Verdict("file", "spam")
    if facts.duplicate_of is not None:
        return Verdict("file", "duplicate")
    if facts.answered:
        return Verdict("draft", "answered")
    return Verdict("escalate", "refused" if facts.answerable else "nothing_found")


def decided(ticket: UpsertEvent) -> Verdict | None:
    """The decision that the ticket keeps, unless a failure made it: then a replay decides again."""
    if DECISION not in ticket.attributes or ticket.attributes.get(REASON) == "failed":
        return None
    return msgspec.convert({"decision": ticket.attributes[DECISION], "reason": ticket.attributes.get(REASON)}, Verdict)


def with_draft(ticket: UpsertEvent, draft: Draft, *, now_ms: int) -> UpsertEvent:
    """The next version: the draft is an internal note of the system, which no answer cites and no customer sees."""
    lines = [f"{text} [{', '.join(tickets)}]" for text, tickets in draft.sentences]
    note = Message(
        author="system", body="\n".join([_HEADING, *lines]), created_at=datetime_from_ms(now_ms), public=False
    )
    return _next(
        ticket, now_ms, messages=(*ticket.messages, note), attributes=ticket.attributes | {ANSWER: draft.answer_id}
    )


def with_verdict(ticket: UpsertEvent, verdict: Verdict, facts: Facts, *, now_ms: int) -> UpsertEvent:
    """The next version: with the decision, and the labels that the ticket lacked."""
    attributes = ticket.attributes | {DECISION: verdict.decision, REASON: verdict.reason}
    if verdict.reason == "duplicate":
        attributes[DUPLICATE_OF] = facts.duplicate_of
    return _next(
        ticket,
        now_ms,
        status=FILED if verdict.decision == "file" else ticket.status,
        category=ticket.category or facts.labels.category,
        priority=ticket.priority or facts.labels.priority,
        attributes=attributes,
    )


def _next(ticket: UpsertEvent, now_ms: int, **fields: object) -> UpsertEvent:
    return msgspec.structs.replace(
        ticket, version=version_of(ticket) + 1, updated_at=datetime_from_ms(now_ms), **fields
    )
