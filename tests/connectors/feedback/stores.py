"""Feedback stores of each kind, and answers and verdicts for them."""

import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final, Literal
from uuid import uuid4

from connectors.dynamodb import Client
from connectors.dynamodb_tables import Tables
from connectors.feedback.dynamodb import DynamoFeedback
from connectors.feedback.sqlite import open_feedback
from connectors.feedback.tables import HINT, definitions
from core.feedback import Feedback, FeedbackStore, GivenAnswer, Verdict
from delivery.backoff import Backoff
from delivery.call_circuit import CallCircuit

Kind = Literal["sqlite", "dynamodb"]

NOW_S: Final = 1_800_000_000.0


def create_tables(client: Client, *, sleep: Callable[[float], None] = time.sleep) -> Tables:
    """New tables with a unique prefix."""
    prefix = f"t{uuid4().hex[:8]}-"
    for definition in definitions(prefix):
        client.create_table(**definition)
    return Tables(client, prefix, HINT, sleep)


def dynamo_feedback(
    tables: Tables, *, clock: Callable[[], float] = lambda: NOW_S, monotonic: Callable[[], float] = time.monotonic
) -> DynamoFeedback:
    """The store in these tables."""
    circuit = CallCircuit(backoff=Backoff(cap_s=1.0, rng=Random(1)), probe_s=10.0, clock=monotonic)
    return DynamoFeedback(tables, tables, circuit=circuit, clock=clock)


def sqlite_feedback(folder: Path, *, clock: Callable[[], float] = lambda: NOW_S) -> FeedbackStore:
    """The store in a file of this folder."""
    return open_feedback(folder / "feedback.db", clock=clock)


def given(answer_id: str = "a1", *, tenant: str = "acme", question: str = "q1", tickets: str = "12") -> GivenAnswer:
    """An answer that cites a ticket for each letter of `tickets`."""
    return GivenAnswer(
        tenant_id=tenant,
        answer_id=answer_id,
        agent="asker",
        question="Why?",
        question_key=question,
        text="Because.",
        tickets=tuple(tickets),
        model="extractive",
        at_ms=int(NOW_S * 1000),
    )


def verdict(answer: GivenAnswer, verdict: Verdict, *, agent: str = "ada", at_ms: int = 1) -> Feedback:
    """A verdict on that answer."""
    return Feedback(answer=answer, agent=agent, verdict=verdict, at_ms=at_ms)
