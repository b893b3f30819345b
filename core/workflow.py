"""The workflow of new tickets: its executions, and the failures that it leaves behind."""

import hashlib
import re
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from core.contract import TenantId, TicketId, record_key

#: An execution's name may have 80 characters, letters, digits, - and _ among them.
_NAME: Final = re.compile(r"(?P<ticket>[0-9a-f]{40})(?:-(?P<attempt>[1-9][0-9]{0,8}))?")


class TicketRef(Struct, frozen=True, forbid_unknown_fields=True):
    """The input of an execution: a ticket's ids. It has no text, because executions are kept for 90 days."""

    tenant_id: TenantId
    ticket_id: TicketId


class Failure(Struct, frozen=True, kw_only=True):
    """A failed execution, as the queue keeps it.

    Attributes:
        handle: removes it from the queue while the queue shows it to nobody else.
        name: of the execution.
        status: FAILED, TIMED_OUT or ABORTED.
        error: name of the error, empty if there is none.
        cause: in words, without a ticket's text.
        stopped_ms: when the execution ended, in ms since the epoch.
    """

    handle: str
    name: str
    ticket: TicketRef
    status: str
    error: str
    cause: str
    stopped_ms: int


class Executions(Protocol):
    """Starts executions."""

    def start(self, name: str, ticket: TicketRef) -> bool:
        """Start an execution. False: one of this name exists already, so the call is idempotent.

        Raises:
            TransientError: AWS is unavailable or throttles.
            FatalError: it refuses.
        """
        ...


class Failures(Protocol):
    """The queue of failed executions. Every method raises `TransientError` in an outage, `FatalError` if refused."""

    def take(self) -> Sequence[Failure]:
        """All failures, oldest first; no other reader sees them for two minutes."""
        ...

    def give_back(self, failures: Sequence[Failure]) -> None:
        """Let other readers see them again at once."""
        ...

    def remove(self, failure: Failure) -> None:
        """Remove a failure for good."""
        ...


def execution_name(ticket: TicketRef, attempt: int = 1) -> str:
    """The name of an execution for a ticket, always the same, so that a ticket's second start has no effect."""
    digest = hashlib.sha256(record_key(ticket.tenant_id, ticket.ticket_id)).hexdigest()[:40]
    return digest if attempt == 1 else f"{digest}-{attempt}"


def next_name(failure: Failure) -> str:
    """The name of the execution that replays a failure. A second replay of the same failure has the same name."""
    found = _NAME.fullmatch(failure.name)
    attempt = int(found["attempt"] or 1) if found else 1
    return execution_name(failure.ticket, attempt + 1)
