"""The workflow is started once for each new ticket, and a start that fails is delivered again."""

import pytest

from core.errors import TransientError
from core.workflow import TicketRef, execution_name
from lambdas.function import Event
from lambdas.workflow.start import DONE, Starter
from tests.lambdas.events import call


class FakeExecutions:
    """A state machine that keeps its executions by name."""

    def __init__(self) -> None:
        self.started: dict[str, TicketRef] = {}
        self.out_after = 100

    def start(self, name: str, ticket: TicketRef) -> bool:
        if len(self.started) >= self.out_after:
            raise TransientError("throttled")
        is_new = name not in self.started
        self.started[name] = ticket
        return is_new


def record(key: str = "acme/T-1", *, name: str = "INSERT") -> Event:
    """A record of the stream of `Tickets`, with keys only."""
    return {"eventName": name, "eventSource": "aws:dynamodb", "dynamodb": {"Keys": {"key": {"S": key}}}}


def test_a_batch_that_is_delivered_again_starts_nothing_twice() -> None:
    """The name of an execution follows from the ticket."""
    executions = FakeExecutions()
    for _ in range(2):
        assert Starter(executions).handle({"Records": [record(), record("acme/a/b c")]}, call()) == DONE
    assert sorted(ticket.ticket_id for ticket in executions.started.values()) == ["T-1", "a/b c"]


def test_only_new_tickets_start_the_workflow() -> None:
    """Changes and deletes of tickets start nothing."""
    executions = FakeExecutions()
    event = {"Records": [record(name="MODIFY"), record("acme/T-2", name="REMOVE"), record("acme/T-3")]}
    Starter(executions).handle(event, call())
    assert [ticket.ticket_id for ticket in executions.started.values()] == ["T-3"]


def test_a_start_that_fails_is_delivered_again() -> None:
    """The error is raised, and the tickets before it aren't started again."""
    executions = FakeExecutions()
    executions.out_after = 1
    batch = {"Records": [record(), record("acme/T-2")]}
    with pytest.raises(TransientError):
        Starter(executions).handle(batch, call())
    executions.out_after = 100
    Starter(executions).handle(batch, call())
    assert len(executions.started) == 2


def test_names_are_valid_and_different() -> None:
    """Step Functions takes 80 characters, and ids may hold any others."""
    names = {execution_name(TicketRef("acme", one)) for one in ("T-1", "T-2", "ü/ \N{SNOWMAN}" * 20)}
    assert len(names) == 3
    assert all(name.isalnum() and len(name) <= 80 for name in names)
    assert execution_name(TicketRef("a", "b/c")) != execution_name(TicketRef("a.b", "c"))
