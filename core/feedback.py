"""Agents' verdicts on answers: sent, edited or discarded. They are kept redacted, one vote per agent."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, Literal, Protocol

from msgspec import Struct

Verdict = Literal["sent", "edited", "discarded"]
#: Days for which an answer may be voted on.
ANSWER_DAYS: Final = 30


class GivenAnswer(Struct, frozen=True, kw_only=True):
    """An answer that feedback may refer to. Its texts are redacted.

    Attributes:
        agent: hash of the user who asked.
        question_key: hash of the question, the same for questions that differ in case and space.
        text: the answer's sentences; empty in a refusal.
        tickets: the tickets that it cites.
        model: as `answers.events.Usage` names it.
        at_ms: in milliseconds since 1970.
    """

    tenant_id: str
    answer_id: str
    agent: str
    question: str
    question_key: str
    text: str
    tickets: tuple[str, ...]
    model: str
    at_ms: int


class Feedback(Struct, frozen=True, kw_only=True):
    """A verdict on an answer, as the topic has it. Its texts are redacted.

    Attributes:
        agent: hash of the user who voted.
        text: the text that was sent, if the answer was edited.
        reason: why it was discarded, if the agent said so.
    """

    answer: GivenAnswer
    agent: str
    verdict: Verdict
    at_ms: int
    text: str | None = None
    reason: str | None = None


class Votes(Struct, frozen=True):
    """The number of votes by verdict, on answers that cite a ticket."""

    sent: int = 0
    edited: int = 0
    discarded: int = 0


class Unsent(Struct, frozen=True):
    """Feedback that the topic may not have yet. `row_id` identifies it in its store."""

    row_id: str
    feedback: Feedback


class FeedbackStore(Protocol):
    """Keeps answers and votes. Safe to use from any thread and process. Every method may raise `TransientError`."""

    def remember(self, answer: GivenAnswer) -> None:
        """Keep an answer for `ANSWER_DAYS`. A crash of the machine may lose the latest answers."""
        ...

    def answer(self, tenant_id: str, answer_id: str) -> GivenAnswer | None:
        """The tenant's answer of this id; None if there is none, or it is too old."""
        ...

    def vote(self, feedback: Feedback) -> None:
        """Keep feedback; durable on return. Idempotent.

        It counts once for each ticket that the answer cites. An agent has one verdict on each answer and one vote on
        each pair of question and ticket: those with the latest `at_ms`, whichever arrives last.
        """
        ...

    def votes(self, tenant_id: str, tickets: Collection[str]) -> Mapping[str, Votes]:
        """The votes on the tenant's tickets that have any, including every vote whose call has returned."""
        ...

    def unsent(self, limit: int) -> Sequence[Unsent]:
        """The oldest feedback that is not marked as sent to the topic."""
        ...

    def mark_sent(self, row_ids: Collection[str]) -> None:
        """Mark feedback as sent to the topic. A verdict that has replaced it since stays unsent."""
        ...

    def lease(self, owner: str, *, now_ms: int, until_ms: int) -> bool:
        """Take or extend the lease of the relay. False while another owner has it."""
        ...

    def release(self, owner: str) -> None:
        """Give the lease back, if `owner` has it."""
        ...

    def all(self, tenant_id: str | None = None) -> Iterator[Feedback]:
        """All verdicts, or a tenant's, in no particular order."""
        ...

    def close(self) -> None:
        """Release the store; idempotent."""
        ...
