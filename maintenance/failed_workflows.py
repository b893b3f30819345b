"""Lists and replays the executions of the workflow that failed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct

from core.workflow import Executions, Failure, Failures, next_name


class Wanted(Struct, frozen=True):
    """Conditions on failures; None matches any."""

    ticket: str | None = None
    error: str | None = None

    def matches(self, failure: Failure) -> bool:
        """Whether a failure meets the conditions."""
        ticket = f"{failure.ticket.tenant_id}/{failure.ticket.ticket_id}"
        return self.ticket in (None, ticket) and self.error in (None, failure.error or failure.status)


class Replayed(Struct, frozen=True):
    """Numbers of failures that were started again, and of those that had been before."""

    started: int
    before: int


class Taken:
    """Failures that no other reader sees."""

    def __init__(self, queue: Failures, found: Sequence[Failure]) -> None:
        self._queue = queue
        self._left = list(found)

    def matching(self, wanted: Wanted) -> list[Failure]:
        """The failures that meet the conditions."""
        return [one for one in self._left if wanted.matches(one)]

    def remove(self, failure: Failure) -> None:
        """Remove one from the queue for good."""
        self._queue.remove(failure)
        self._left.remove(failure)

    def give_back(self) -> None:
        """Let other readers see the rest again."""
        self._queue.give_back(self._left)


@contextmanager
def taken(queue: Failures) -> Iterator[Taken]:
    """The failures; no other reader sees any until the end of the `with`, or for two minutes."""
    found = Taken(queue, queue.take())
    try:
        yield found
    finally:
        found.give_back()


def replay(failures: Sequence[Failure], found: Taken, executions: Executions) -> Replayed:
    """Start each failure's workflow again, then remove the failure.

    A replay that is interrupted can be repeated: the name of the new execution follows from the failed one, so the
    second start has no effect.
    """
    started = 0
    for failure in failures:
        started += executions.start(next_name(failure), failure.ticket)
        found.remove(failure)
    return Replayed(started, len(failures) - started)
