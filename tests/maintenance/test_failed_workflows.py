"""Failures are listed without being lost, and each is replayed once, through interruptions too."""

from collections.abc import Sequence

import msgspec
import pytest

from core.errors import TransientError
from core.workflow import Failure, TicketRef, execution_name, next_name
from maintenance.failed_workflows import Replayed, Wanted, replay, taken

TICKET = TicketRef("acme", "T-1")


class FakeQueue:
    """A queue; what was taken is hidden until it is given back."""

    def __init__(self, *failures: Failure) -> None:
        self.waiting = list(failures)
        self.hidden: list[Failure] = []
        self.out = False

    def take(self) -> Sequence[Failure]:
        self.hidden, self.waiting = self.waiting, []
        return list(self.hidden)

    def give_back(self, failures: Sequence[Failure]) -> None:
        assert all(one in self.hidden for one in failures)  # SQS refuses others
        self.waiting += failures
        self.hidden = []

    def remove(self, failure: Failure) -> None:
        if self.out:
            raise TransientError("no queue")
        self.hidden.remove(failure)


class FakeExecutions:
    """A state machine that keeps the names of its executions."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def start(self, name: str, ticket: TicketRef) -> bool:
        assert ticket.tenant_id == "acme"
        is_new = name not in self.names
        self.names += [name] * is_new
        return is_new


def failure(ticket: TicketRef = TICKET, *, attempt: int = 1, error: str = "UnavailableError") -> Failure:
    """A failed execution."""
    return Failure(
        handle=f"{ticket.ticket_id}-{attempt}",
        name=execution_name(ticket, attempt),
        ticket=ticket,
        status="FAILED" if error else "TIMED_OUT",
        error=error,
        cause="",
        stopped_ms=1,
    )


def test_a_list_leaves_everything() -> None:
    """Every failure is in the queue again after a list, and also after one that fails."""
    queue = FakeQueue(failure(), failure(TicketRef("acme", "T-2"), error=""))
    with taken(queue) as found:
        assert [one.ticket.ticket_id for one in found.matching(Wanted(error="TIMED_OUT"))] == ["T-2"]
    with pytest.raises(ZeroDivisionError), taken(queue) as found:
        1 / len(found.matching(Wanted(ticket="acme/T-1"))[1:])
    assert len(queue.waiting) == 2


def test_a_replay_removes_what_it_started() -> None:
    """Only the wanted failures are started, under the next name of their ticket."""
    other = failure(TicketRef("acme", "T-2"))
    queue, executions = FakeQueue(failure(), other), FakeExecutions()
    with taken(queue) as found:
        assert replay(found.matching(Wanted(ticket="acme/T-1")), found, executions) == Replayed(1, 0)
    assert executions.names == [execution_name(TICKET, 2)]
    assert queue.waiting == [other]


def test_an_interrupted_replay_can_be_repeated() -> None:
    """A failure that was started but not removed isn't started twice."""
    queue, executions = FakeQueue(failure()), FakeExecutions()
    queue.out = True
    with pytest.raises(TransientError), taken(queue) as found:
        replay(found.matching(Wanted()), found, executions)
    queue.out = False
    with taken(queue) as found:
        assert replay(found.matching(Wanted()), found, executions) == Replayed(0, 1)
    assert (len(executions.names), queue.waiting) == (1, [])


def test_a_replay_that_fails_is_replayed_by_another_name() -> None:
    """Each attempt counts up, and an execution that somebody named by hand begins at the second one."""
    names = [next_name(failure(attempt=attempt)) for attempt in (1, 2, 11)]
    assert names == [execution_name(TICKET, attempt) for attempt in (2, 3, 12)]
    assert next_name(msgspec.structs.replace(failure(), name="by-hand")) == execution_name(TICKET, 2)
