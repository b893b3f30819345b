"""Each promise of a feedback store has a test that fails on a mutant: the store's source with one fault."""

import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from connectors.dynamodb import Client
from core.feedback import FeedbackStore
from tests.rigs.dynamodb import FaultyClient, dynamodb
from tests.rigs.mutation import mutant

_PACKAGE: Final = "connectors.feedback"
_LATE_VOTE: Final = '''empty if a later vote exists."""
        if kept is not None and'''
_LATE_VERDICT: Final = '''empty if a later verdict exists."""
        if kept is not None and'''
_REPLACE: Final = "INSERT OR REPLACE INTO feedback (tenant_id, answer_id, agent, value) VALUES (?, ?, ?, ?)"
_UPDATE: Final = _REPLACE.replace("OR REPLACE ", "") + " ON CONFLICT DO UPDATE SET value = excluded.value"
#: Module of connectors/feedback/, the code and the fault in its place, and the law that must fail on it.
_MUTANTS: Final = {
    "a vote that was changed counts twice": (
        "dynamodb",
        "if before is not None:",
        "if False:",
        "test_stores.test_an_agent_has_one_vote_on_a_question_and_a_ticket",
    ),
    "a vote that arrives late counts": (
        "dynamodb",
        _LATE_VOTE,
        _LATE_VOTE.replace("kept is not None", "False"),
        "test_stores.test_an_agent_has_one_vote_on_a_question_and_a_ticket",
    ),
    "a verdict that arrives late counts": (
        "dynamodb",
        _LATE_VERDICT,
        _LATE_VERDICT.replace("kept is not None", "False"),
        "test_stores.test_an_agent_has_one_verdict_on_an_answer",
    ),
    "votes are written over each other": (
        "dynamodb",
        ' | _if_unchanged(kept, "at_ms", "verdict")',
        "",
        "test_dynamodb.test_votes_that_meet_are_ordered",
    ),
    "verdicts are written over each other": (
        "dynamodb",
        ' | _if_unchanged(kept, "version")',
        "",
        "test_dynamodb.test_votes_that_meet_are_ordered",
    ),
    "a verdict has no place in the outbox": (
        "dynamodb",
        '[{"Put": put}, {"Put": self._put(outbox_item(feedback, version))}]',
        '[{"Put": put}]',
        "test_stores.test_feedback_is_sent_once_it_is_marked",
    ),
    "a verdict has the place of the one that it replaces": (
        "tables",
        "{feedback.agent}/{version:06d}",
        "{feedback.agent}",
        "test_stores.test_a_verdict_that_replaces_one_in_flight_stays_unsent",
    ),
    "answers are kept for all tenants": (
        "tables",
        'f"answer/{tenant_id}/{answer_id}"',
        'f"answer/{answer_id}"',
        "test_stores.test_tenants_share_nothing",
    ),
    "answers never expire": (
        "dynamodb",
        "found.at_ms < oldest_ms",
        "False",
        "test_stores.test_an_answer_can_be_voted_on_for_a_month",
    ),
    "a page is all": (
        "dynamodb",
        'if "LastEvaluatedKey" not in page:',
        "if True:",
        "test_stores.test_everything_comes_page_by_page",
    ),
    "every call waits for an outage": (
        "dynamodb",
        "if not self._circuit.allow():",
        "if False:",
        "test_dynamodb.test_an_outage_is_waited_for_three_times",
    ),
    "a vote that arrives late counts (SQLite)": (
        "sqlite",
        " WHERE excluded.at_ms >= at_ms",
        "",
        "test_stores.test_an_agent_has_one_vote_on_a_question_and_a_ticket",
    ),
    "a verdict that arrives late counts (SQLite)": (
        "sqlite",
        ".at_ms <= feedback.at_ms",
        ".at_ms <= 10**15",
        "test_stores.test_an_agent_has_one_verdict_on_an_answer",
    ),
    "a verdict has the place of the one that it replaces (SQLite)": (
        "sqlite",
        _REPLACE,
        _UPDATE,
        "test_stores.test_a_verdict_that_replaces_one_in_flight_stays_unsent",
    ),
    "anybody takes the lease (SQLite)": (
        "sqlite",
        "WHERE owner = excluded.owner OR until_ms <= ?",
        "WHERE ? > 0 OR 1",
        "test_stores.test_a_lease_has_one_owner",
    ),
}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with dynamodb() as opened:
        yield opened


@pytest.mark.parametrize("name", _MUTANTS)
def test_each_law_catches_its_mutant(
    name: str, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The law, which holds for the stores, fails on the mutant."""
    module, code, fault, law = _MUTANTS[name]
    with mutant(_PACKAGE, module, code, fault, law):
        stores = importlib.import_module("tests.connectors.feedback.stores")
        file, _, function = law.partition(".")
        check = getattr(importlib.import_module(f"tests.connectors.feedback.{file}"), function)
        now = [stores.NOW_S]
        faulty = FaultyClient(client)
        waits: list[float] = []
        tables = stores.create_tables(faulty, sleep=waits.append)

        def opening() -> FeedbackStore:
            if module == "sqlite":
                opened: FeedbackStore = stores.sqlite_feedback(tmp_path, clock=lambda: now[0])
            else:
                opened = stores.dynamo_feedback(tables, clock=lambda: now[0])
            return opened

        fixtures = {"opening": opening, "now": now, "client": faulty, "tables": tables, "waits": waits}
        with pytest.raises(AssertionError):
            _run(check, opening, fixtures | {"monkeypatch": monkeypatch})


def _run(check: Callable[..., None], opening: Callable[[], FeedbackStore], fixtures: dict[str, Any]) -> None:
    """Run a law with each of its parameters."""
    rows: list[dict[str, object]] = [{}]
    for mark in getattr(check, "pytestmark", []):
        rows = [row | {mark.args[0]: value} for row in rows for value in mark.args[1]]
    for row in rows:
        given = {**fixtures, "store": opening(), **row}
        check(**{name: given[name] for name in inspect.signature(check).parameters})
