"""Gold questions know the tickets that answer them."""

import json
from typing import Any

import pytest

from synthetic.facts import TENANTS
from synthetic.gold import NOTHING, RELATED, SOLVED, GoldQuestion, gold_questions, suggestions
from synthetic.tickets import SyntheticRecord, events


@pytest.fixture(scope="module")
def records() -> list[SyntheticRecord]:
    """The events of a busy hour."""
    return list(events(1500, edits=0.25))


@pytest.fixture(scope="module")
def gold(records: list[SyntheticRecord]) -> list[GoldQuestion]:
    """The questions about them."""
    return gold_questions(records)


Live = dict[tuple[str, str], tuple[dict[str, Any], str]]


@pytest.fixture(scope="module")
def live(records: list[SyntheticRecord]) -> Live:
    """The current tickets and their texts, by an independent fold."""
    held: dict[bytes, dict[str, Any]] = {}
    for record in records:
        if record.value is None or record.kind == "delete":
            held.pop(record.key, None)
        elif record.kind != "duplicate":
            held[record.key] = json.loads(record.value)
    return {(t["tenant_id"], t["ticket_id"]): (t, str(t)) for t in held.values()}


def test_relevant_tickets_are_live_and_the_tenants_own(gold: list[GoldQuestion], live: Live) -> None:
    """A relevant ticket is live and of the question's tenant, and has grade 2 exactly if it is solved."""
    for question in gold:
        for ticket_id, grade in question.relevant.items():
            ticket, _ = live[question.tenant_id, ticket_id]
            assert grade == (SOLVED if ticket["status"] in {"solved", "closed"} else RELATED)


def test_an_identifier_is_in_every_relevant_ticket_and_in_no_other(gold: list[GoldQuestion], live: Live) -> None:
    """The order number or error code of a question occurs in its relevant tickets only."""
    asked = [question for question in gold if question.kind == "identifier"]
    assert len(asked) > 50
    for question in asked:
        (identifier,) = question.facts
        having = {i for (tenant, i), (_, text) in live.items() if tenant == question.tenant_id and identifier in text}
        assert having == set(question.relevant)
        assert identifier in question.text


def test_the_words_of_a_paraphrase_are_not_the_tickets(gold: list[GoldQuestion], live: Live) -> None:
    """No ticket contains the text of a paraphrased question."""
    texts = "\n".join(text for _, text in live.values()).lower()
    meant = [question for question in gold if question.kind == "meaning"]
    assert {question.language for question in meant} == {"en", "de", "fr", "es", "it", "nl"}
    assert not [question.text for question in meant if question.text.lower() in texts]


def test_the_facts_of_an_answer_are_in_a_solved_ticket(gold: list[GoldQuestion], live: Live) -> None:
    """Each solved ticket of a cause has all facts of the question's answer, and no other tenant's ticket has one."""
    for question in gold:
        if question.kind != "meaning":
            continue
        for (tenant, ticket_id), (_, text) in live.items():
            if tenant != question.tenant_id:
                assert not any(fact in text for fact in question.facts)
            elif question.relevant.get(ticket_id) == SOLVED and question.language == "en":
                assert any(fact in text for fact in question.facts)


def test_questions_without_an_answer_have_no_relevant_ticket(gold: list[GoldQuestion]) -> None:
    """Questions without an answer are asked of every tenant, and have no relevant ticket."""
    nothing = [question for question in gold if question.kind == "nothing"]
    assert {question.text for question in nothing} == set(NOTHING)
    assert {question.tenant_id for question in nothing} == set(TENANTS)
    assert not any(question.relevant for question in nothing)


def test_suggestions_are_answered_by_solved_tickets(gold: list[GoldQuestion]) -> None:
    """Suggested questions are of several kinds, and a solved ticket of the tenant answers each."""
    chosen = suggestions(gold, tenant_id="acme")
    assert len(chosen) == 5
    assert {question.tenant_id for question in chosen} == {"acme"}
    assert {question.kind for question in chosen} == {"meaning", "identifier"}
    assert all(SOLVED in question.relevant.values() for question in chosen)


def test_a_seed_makes_the_same_questions(records: list[SyntheticRecord]) -> None:
    """Equal seeds make equal questions, and another seed another order."""
    assert gold_questions(records, seed=3) == gold_questions(records, seed=3) != gold_questions(records, seed=4)
