"""Each rule of the service has a test that fails on a mutant: the rule's source with one fault."""

import importlib
import inspect
from pathlib import Path
from typing import Any, Final

import pytest

from connectors.qdrant.policy import VersionedIndex
from tests.rigs.mutation import mutant

_PACKAGE: Final = "services.rag"
#: Module of services/rag/, the code and the fault in its place, and the test that must fail on it.
_MUTANTS: Final = {
    "an answer is kept by its question alone": (
        "answering",
        "            evidence,\n            self.chain,",
        "            Evidence(sources=(), confidence=0.0, model=''),\n            self.chain,",
        "test_feedback.test_the_same_question_is_answered_once_until_a_source_changes",
    ),
    "degraded answers are kept": (
        "answering",
        "if kept is None and not _degraded(given):",
        "if kept is None:",
        "test_feedback.test_a_degraded_answer_is_not_cached",
    ),
    "a ticket is a source for itself": (
        "answering",
        "for hit in found.hits if hit.ticket_id != question.ticket_id}",
        "for hit in found.hits}",
        "test_routes.test_a_ticket_gives_context_and_is_no_source",
    ),
    "usefulness doesn't rank": (
        "answering",
        "strength = 0.0 if plain else self.useful",
        "strength = 0.0",
        "test_feedback.test_feedback_moves_the_tickets_that_an_answer_cites",
    ),
    "programs see internal notes": (
        "requests",
        "public_only=not sees_notes(caller)",
        "public_only=False",
        "test_routes.test_internal_notes_are_for_people",
    ),
    "what was sent is kept as it is": (
        "routes",
        "text=None if body.text is None else redact_text(body.text)",
        "text=body.text",
        "test_feedback.test_feedback_moves_the_tickets_that_an_answer_cites",
    ),
    "users are kept by name": (
        "routes",
        "agent=agent_of(caller.tenant_id, caller.user_id)",
        "agent=caller.user_id",
        "test_feedback.test_feedback_moves_the_tickets_that_an_answer_cites",
    ),
    "an outage of feedback is one of search": (
        "known_votes",
        "except TicketstreamError as error:",
        "except ZeroDivisionError as error:",
        "test_faults.test_feedback_that_cant_be_kept_costs_no_answer",
    ),
    "feedback is marked before it is sent": (
        "relay",
        "            refused = self._send(",
        "            self._store.mark_sent([one.row_id for one in unsent])\n            refused = self._send(",
        "test_relay.test_an_outage_of_the_broker_loses_nothing",
    ),
    "every process sends": (
        "relay",
        "if unsent and not self._lease.held():",
        "if False:",
        "test_relay.test_one_of_two_relays_sends",
    ),
    "votes of others are never read": (
        "known_votes",
        "now - known.read_at < self._fresh_s",
        "now >= 0",
        "test_known_votes.test_votes_of_other_processes_count_after_a_while",
    ),
    "one's own vote waits too": (
        "answering",
        "        self.known.forget(feedback.answer.tenant_id, feedback.answer.tickets)\n",
        "",
        "test_tasks.test_tasks_share_votes",
    ),
    "an outage forgets the votes": (
        "known_votes",
        "            self._failing = True\n",
        "            self._failing = True\n            self._known.clear()\n",
        "test_known_votes.test_an_outage_leaves_the_last_known_votes",
    ),
    "a vote during a read is overlooked": (
        "known_votes",
        "now if forgotten == self._forgotten else None",
        "now",
        "test_known_votes.test_a_vote_during_a_read_is_read_again",
    ),
    "a text is as good as a number": (
        "requests",
        'extra="forbid", strict=True)',
        'extra="forbid")',
        "test_routes.test_a_wrong_search_names_its_field",
    ),
    "weights in Accept don't count": (
        "routes",
        "if quality > best and",
        "if best == 0 and",
        "test_routes.test_what_accept_prefers_is_sent",
    ),
    "what nobody waits for is searched": (
        "pulling",
        "        if self._stop.is_set():\n            self._put(end)",
        "        if False:\n            self._put(end)",
        "test_pulling.test_an_answer_that_waited_for_a_thread_in_vain_is_not_begun",
    ),
    "everything is kept for ever": (
        "known_votes",
        "while len(self._known) > self._size:",
        "while False:",
        "test_known_votes.test_only_so_many_tickets_are_kept",
    ),
}


@pytest.mark.parametrize("name", _MUTANTS)
def test_each_rule_catches_its_mutant(
    name: str, index: VersionedIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test, which passes on the service, fails on the mutant."""
    module, code, fault, test = _MUTANTS[name]
    with mutant(_PACKAGE, module, code, fault, test):
        world = importlib.import_module("tests.services.rag.world").RagWorld(index, tmp_path)
        file, _, function = test.partition(".")
        run = getattr(importlib.import_module(f"tests.services.rag.{file}"), function)
        with world.client() as client, pytest.raises(AssertionError):
            _run(run, {"world": world, "client": client, "tmp_path": tmp_path, "monkeypatch": monkeypatch})
        world.feedback.close()


def _run(test: Any, fixtures: dict[str, object]) -> None:
    """Run a test with each of its parameters."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    names, given = marks[0].args[:2] if marks else ((), [()])
    rows = [{names: row} if isinstance(names, str) else dict(zip(names, row, strict=True)) for row in given]
    for row in rows:
        found = {**fixtures, **row}
        test(**{name: found[name] for name in inspect.signature(test).parameters})
