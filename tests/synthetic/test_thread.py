"""Threads are consistent: questions are answered, advice is confirmed or not, and the status follows."""

import json
from random import Random
from typing import Any, Final

import pytest

from operators.redact import redact_text
from synthetic.facts import facts_of
from synthetic.foreign import FOREIGN
from synthetic.phrases import PHRASES
from synthetic.thread import SentMessage, Thread
from synthetic.tickets import events
from synthetic.topics import CAUSES, TOPICS
from synthetic.writing import Case, TextGenerator

_SOLVED: Final = {"solved", "closed"}


def _thread(name: str, *, seed: int, language: str = "en") -> tuple[Thread, list[SentMessage]]:
    rng = Random(seed)
    case = Case(CAUSES[name], facts_of("acme"), 1, language)
    thread = Thread(case, rng, TextGenerator(rng))
    return thread, [thread.next(at) for at in range(8)]


@pytest.mark.parametrize("seed", range(20))
def test_a_question_is_followed_by_its_answer(seed: int) -> None:
    """A cause's own question gets the cause's own answer."""
    thread, messages = _thread("login/blank-page", seed=seed)
    bodies = [message["body"] for message in messages]
    fill = TextGenerator(Random(0)).fill
    ask, answer = fill(thread.case.cause.ask, thread.case), fill(thread.case.cause.answer, thread.case)
    if ask in bodies[:-1]:
        after = messages[bodies.index(ask) + 1]
        assert (after["body"], after["author"]) == (answer, "customer")


def test_a_solved_ticket_has_the_right_advice() -> None:
    """The last public message of an agent in every solved ticket has a fact of the cause."""
    checked = 0
    for record in events(3000, duplicates=0):
        if record.kind not in {"create", "edit"}:
            continue
        ticket: dict[str, Any] = json.loads(record.value or b"")
        if ticket["status"] not in _SOLVED:
            continue
        code_or_article = {
            facts_of(ticket["tenant_id"]).causes[record.cause_name][slot]
            for slot in ("code", "article", "build", "host")
        }
        last = [m for m in ticket["messages"] if m["author"] == "agent" and m["public"]][-1]["body"]
        assert any(fact in last for fact in code_or_article), (ticket, code_or_article)
        checked += 1
    assert checked > 300


def test_a_relapse_opens_the_ticket_again() -> None:
    """After the customer's relapse the status is open, until the advice is given again."""
    seen = 0
    for seed in range(40):
        rng = Random(seed)
        thread = Thread(Case(CAUSES["export/empty"], facts_of("acme"), 1, "en"), rng, TextGenerator(rng))
        for at in range(8):
            relapsed = thread.next(at)["body"].startswith(("It is back since", "I have to open this again"))
            assert relapsed <= (thread.status == "open")
            seen += relapsed
    assert seen > 20


def test_a_truncated_thread_goes_on_from_where_it_ends() -> None:
    """Without its messages a solved ticket is open again."""
    thread, _ = _thread("login/locked", seed=3)
    thread.truncate(0)
    assert thread.status == "open"


@pytest.mark.parametrize("language", FOREIGN)
def test_foreign_threads_are_in_their_language(language: str) -> None:
    """Public messages of a ticket are in its language; notes are in English."""
    name = next(iter(FOREIGN[language]))
    english = {*PHRASES["en"].asks, *PHRASES["en"].thanks, CAUSES[name].ask, CAUSES[name].fix}
    for seed in range(10):
        _, messages = _thread(name, seed=seed, language=language)
        assert not [m for m in messages if m["public"] and m["body"] in english]


def test_every_cause_has_facts_that_only_its_fix_tells() -> None:
    """A cause's fix states at least two of its facts, and its name begins with its topic's."""
    for topic in TOPICS:
        for cause in topic.causes:
            assert cause.name.startswith(f"{topic.name}/")
            assert sum(f"{{{slot}}}" in cause.fix for slot in ("code", "article", "build", "host")) >= 2, cause.name


def test_facts_survive_redaction() -> None:
    """Redaction leaves codes, articles, versions, hosts and order numbers."""
    facts = facts_of("acme")
    for name, values in facts.causes.items():
        text = " ".join((CAUSES[name].fix.format_map({**values, **dict.fromkeys(_OTHERS, "x")}), facts.order(3, 1)))
        assert redact_text(text) == text


_OTHERS: Final = ("order", "invoice", "amount", "n", "version", "product", "device", "city", "browser", "day", "month")
