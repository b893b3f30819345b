"""The steps of a new ticket: each is idempotent, returns no text, and leaves alone what a person has taken up."""

import inspect
import json
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest

from core.errors import ConfigError, FatalError, NoTicketError, TransientError, UnavailableError
from lambdas.function import Event
from lambdas.workflow import steps
from lambdas.workflow.resources import NotIndexedError, listed
from tests.connectors.ticket_store.stores import NOW_MS, delete, upsert
from tests.lambdas.workflow_rig import FIX, Workflow, hit, workflow

INPUT: Event = {"tenant_id": "acme", "ticket_id": "T-1"}
STEPS = [steps.classify, steps.find, steps.answer, steps.decide]
BODY = "The customer says something secret."


def with_rig(test: Callable[..., None]) -> Callable[..., None]:
    """Give `test` a rig as its first argument; it needs no fixture, so that mutants can run it too."""

    @wraps(test)
    def run(*given: object, **parameters: object) -> None:
        with workflow() as rig:
            test(rig, *given, **parameters)

    signature = inspect.signature(test)
    run.__dict__["__signature__"] = signature.replace(parameters=list(signature.parameters.values())[1:])
    return run


def run(rig: Workflow, step: Callable[..., Event], **facts: object) -> Event:
    """The result of a step for T-1."""
    return step(rig.resources, rig.telemetry, INPUT | {"facts": facts})


def write(rig: Workflow, ticket_id: str = "T-1", *, age_ms: int = 0, **given: Any) -> None:
    """Store a ticket that is `age_ms` older than usual."""
    fields: dict[str, Any] = {"subject": "No sign in", "body": BODY, "customer_id": "C-1"} | given
    rig.stores.tickets.apply(upsert(ticket_id, created_ms=NOW_MS - age_ms, **fields))


# --- classify


@with_rig
def test_the_nearest_tickets_vote_on_labels(rig: Workflow) -> None:
    """Category and priority are those on which the nearest tickets agree."""
    write(rig)
    assert run(rig, steps.classify) == {
        "handled": False,
        "spam": False,
        "labels": {"category": "login", "priority": "high"},
    }


@with_rig
def test_spam_is_the_producers_word_or_the_neighbours(rig: Workflow) -> None:
    """A ticket's own category counts before that of its neighbours."""
    write(rig)
    rig.hits = [hit(f"S-{number}", category="spam") for number in range(3)]
    assert run(rig, steps.classify)["spam"]
    rig.stores.tickets.apply(upsert("T-1", version=2, category="login"))
    assert not run(rig, steps.classify)["spam"]


@pytest.mark.parametrize("how", ["answered", "closed"])
@with_rig
def test_a_ticket_that_a_person_has_taken_up_is_left_alone(rig: Workflow, how: str) -> None:
    """Neither the search nor the language model is asked about it, and it isn't changed."""
    message = {"author": "agent", "body": "I am on it.", "created_at": "2026-01-05T08:00:00Z"}
    write(rig, **({"messages": [message]} if how == "answered" else {"status": "closed"}))
    before = rig.ticket()
    assert run(rig, steps.classify)["handled"]
    assert run(rig, steps.decide, answered=True) == {"decision": "none", "reason": "handled"}
    assert rig.ticket() == before
    assert rig.requests == []


# --- find


@with_rig
def test_solved_tickets_are_found_by_the_index(rig: Workflow) -> None:
    """The service is asked for solved tickets only."""
    write(rig)
    found = run(rig, steps.find)
    assert (found["duplicate_of"], found["answerable"]) == (None, True)
    assert rig.requests[0].url.params["solved"] == "true"
    rig.nothing = True
    assert not run(rig, steps.find)["answerable"]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({}, True),
        ({"subject": "no  SIGN in", "body": f"{BODY}\n"}, True),
        ({"body": f"{BODY} Really."}, False),
        ({"customer_id": "C-2"}, False),
        ({"status": "solved"}, False),
        ({"age_ms": 8 * 86_400_000}, False),
        ({"age_ms": -1_000}, False),  # the newer one is the copy
    ],
)
@with_rig
def test_a_customers_repetition_is_found_in_the_store(rig: Workflow, other: Event, same: bool) -> None:
    """A ticket repeats an older open one of its customer with the same words, also if neither is indexed yet."""
    write(rig, "T-0", **{"age_ms": 60_000, **other})
    write(rig)
    rig.status = 404 if same else 200
    assert run(rig, steps.find)["duplicate_of"] == ("T-0" if same else None)


@with_rig
def test_empty_tickets_repeat_nothing(rig: Workflow) -> None:
    """Two tickets without words aren't the same."""
    for ticket_id in ("T-0", "T-1"):
        write(rig, ticket_id, subject=" ", body="", age_ms=60_000 * (ticket_id == "T-0"))
    assert run(rig, steps.find)["duplicate_of"] is None


# --- answer


@with_rig
def test_an_answer_becomes_an_internal_note_once(rig: Workflow) -> None:
    """The draft cites its tickets, customers don't see it, no answer uses it, and a repeated step asks nobody."""
    write(rig)
    wanted = {"answered": True, "answer_id": "a" * 32}
    assert run(rig, steps.answer) == wanted
    assert run(rig, steps.answer) == wanted
    (note,) = rig.ticket().messages
    assert (note.author, note.public) == ("system", False)
    assert note.body == f"Suggested answer, not sent:\n{FIX} [S-1, S-2]"
    assert rig.ticket().version == 2
    (asked,) = rig.requests
    assert json.loads(asked.content) == {"question": "No sign in", "ticket_id": "T-1"}


@with_rig
def test_two_answers_at_once_leave_one_note(rig: Workflow) -> None:
    """A function that was too slow, and the retry beside it, don't both write."""
    write(rig)
    rig.while_asked = lambda: run(rig, steps.answer)
    assert run(rig, steps.answer)["answered"]
    assert len(rig.requests) == 2
    assert len(rig.ticket().messages) == 1


@with_rig
def test_a_refusal_changes_nothing(rig: Workflow) -> None:
    """Without an answer there is no draft."""
    write(rig, subject="  ")
    rig.refused = True
    assert run(rig, steps.answer) == {"answered": False, "answer_id": "a" * 32}
    assert rig.ticket().version == 1
    assert json.loads(rig.requests[0].content)["question"] == "How was this problem solved?"


# --- decide


@pytest.mark.parametrize(
    ("facts", "decision", "reason"),
    [
        ({"answerable": True, "answered": True}, "draft", "answered"),
        ({"answerable": True}, "escalate", "refused"),
        ({}, "escalate", "nothing_found"),
        ({"spam": True}, "file", "spam"),
        ({"duplicate_of": "T-0"}, "file", "duplicate"),
        ({"spam": True, "failed": "Find"}, "escalate", "failed"),
        ({"answered": True, "failed": "Answer"}, "escalate", "failed"),
    ],
)
@with_rig
def test_the_decision_follows_from_the_facts(rig: Workflow, facts: Event, decision: str, reason: str) -> None:
    """A decision is written into the ticket with its reason; a filed ticket is neither open nor solved."""
    write(rig)
    assert run(rig, steps.decide, **facts) == {"decision": decision, "reason": reason}
    ticket = rig.ticket()
    assert ticket.attributes["workflow_decision"] == decision
    assert ticket.attributes.get("workflow_duplicate_of") == facts.get("duplicate_of")
    assert ticket.status == ("filed" if decision == "file" else "open")


@with_rig
def test_a_decision_is_made_once(rig: Workflow) -> None:
    """A repeated step returns the first decision, whatever it is told, and changes and counts nothing."""
    write(rig)
    first = run(rig, steps.decide, answered=True)
    assert run(rig, steps.decide, spam=True) == first
    assert rig.ticket().version == 2
    lines: list[str] = []
    rig.telemetry.flush(lines.append, function="f", request_id="r")
    assert [json.loads(line)["tickets_workflow_decisions_total"] for line in lines] == [1]


@with_rig
def test_a_replay_decides_again_after_a_failure(rig: Workflow) -> None:
    """A ticket that was escalated because a step failed gets the decision of the replay, unless a person was faster."""
    write(rig)
    run(rig, steps.decide, failed="Answer")
    assert run(rig, steps.decide, answered=True) == {"decision": "draft", "reason": "answered"}


@with_rig
def test_labels_are_filled_in_and_never_replaced(rig: Workflow) -> None:
    """A label that the producer gave stays."""
    write(rig, priority="low")
    run(rig, steps.decide, labels={"category": "login", "priority": "high"})
    assert (rig.ticket().category, rig.ticket().priority) == ("login", "low")


# --- all steps


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
@with_rig
def test_results_have_no_text(rig: Workflow, step: Callable[..., Event]) -> None:
    """The state machine keeps results for 90 days, so they have no words of a ticket or an answer."""
    write(rig)
    said = json.dumps(run(rig, step))
    assert not [word for word in (BODY, "No sign in", "private", FIX) if word in said]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
@with_rig
def test_a_deleted_ticket_ends_the_workflow(rig: Workflow, step: Callable[..., Event]) -> None:
    """The error's name is the one that the state machine catches."""
    write(rig)
    rig.stores.tickets.apply(delete("T-1", version=2))
    with pytest.raises(NoTicketError):
        run(rig, step)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, NotIndexedError),
        (503, UnavailableError),
        (504, UnavailableError),
        (429, UnavailableError),
        (500, FatalError),
        (401, ConfigError),
        (422, ConfigError),
    ],
)
@pytest.mark.parametrize("step", STEPS[:3], ids=lambda step: step.__name__)
@with_rig
def test_the_services_errors_have_the_names_that_are_retried(
    rig: Workflow, step: Callable[..., Event], status: int, error: type[Exception]
) -> None:
    """An outage, and a ticket that the stream hasn't indexed yet, are retried by name; a refusal isn't."""
    write(rig)
    rig.status = status
    with pytest.raises(error) as raised:
        run(rig, step)
    assert type(raised.value) is error


@with_rig
def test_a_ticket_that_is_not_indexed_yet_is_no_deleted_one(rig: Workflow) -> None:
    """The service's 404 is retried by name; a deletion, which ends the workflow, is known from the store only."""
    write(rig)
    rig.status = 404
    with pytest.raises(TransientError):
        run(rig, steps.classify)


@pytest.mark.parametrize("step", [steps.answer, steps.decide], ids=lambda step: step.__name__)
@with_rig
def test_a_ticket_without_room_is_a_fault(rig: Workflow, step: Callable[..., Event]) -> None:
    """A ticket at the contract's limit can't take a note: no retry helps."""
    write(rig)
    rig.limit(10)
    with pytest.raises(FatalError, match="can't be changed"):
        run(rig, step)


@with_rig
def test_a_full_outbox_is_an_outage(rig: Workflow) -> None:
    """The change is tried again later."""
    write(rig)

    rig.full = True
    with pytest.raises(TransientError, match="can't be changed now"):
        run(rig, steps.decide)


def test_settings_are_lists_of_words() -> None:
    """Blanks and empty parts don't count."""
    assert listed(" open, new,,") == {"open", "new"}
