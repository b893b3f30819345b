"""The outcome of a ticket: solved or not, when, and by which message."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from core.contract import UpsertEvent, milliseconds
from core.errors import ConfigError
from core.records import Passage
from core.settings import SearchSettings

_SETTING: Final = "TICKETS_SEARCH__SOLVED_STATUSES"


class SolvedStatuses(Struct, frozen=True):
    """The statuses that mean solved, in lower case: those of any tenant, and of tenants with statuses of their own."""

    common: frozenset[str]
    own: Mapping[str, frozenset[str]]

    def include(self, tenant_id: str, status: str) -> bool:
        """Whether the tenant's tickets of this status are solved."""
        return status.casefold() in self.own.get(tenant_id, self.common)


class Outcome(Struct, frozen=True):
    """The outcome of a solved ticket.

    Attributes:
        solved_at: time of the message that solved it, else of the ticket's last change; milliseconds since 1970.
        message: number of that message, or None if it is unknown.
    """

    solved_at: int
    message: int | None


def parse_statuses(text: str) -> SolvedStatuses:
    """Read `solved,closed;acme=done,fixed`: the statuses of all tenants, then those of tenants with their own.

    Raises:
        ConfigError: a part after the first is not of the form tenant=status,status.
    """
    first, *rest = text.split(";")
    own: dict[str, frozenset[str]] = {}
    for part in filter(str.strip, rest):
        tenant, equals, statuses = part.partition("=")
        if not equals or not tenant.strip():
            raise ConfigError(f"{_SETTING}: {part.strip()!r} is not of the form tenant=status,status")
        own[tenant.strip()] = _statuses(statuses)
    if "=" in first:
        raise ConfigError(f"{_SETTING}: begin with the statuses of all tenants, as in solved,closed;acme=done")
    return SolvedStatuses(_statuses(first), own)


def outcome_of(
    tenant_id: str, content: UpsertEvent, passages: Sequence[Passage], statuses: SolvedStatuses
) -> Outcome | None:
    """The outcome of a ticket; None if it isn't solved, or was reopened.

    The message that solved it is the last public one of an agent.
    """
    if not statuses.include(tenant_id, content.status):
        return None
    answers = [passage for passage in passages if passage.role == "agent" and passage.public and passage.message >= 0]
    if not answers:
        return Outcome(milliseconds(content.updated_at), None)
    last = max(answers, key=lambda passage: passage.message)
    return Outcome(milliseconds(content.updated_at) if last.at is None else last.at, last.message)


def _statuses(text: str) -> frozenset[str]:
    return frozenset(status.strip().casefold() for status in text.split(",") if status.strip())


#: The setting's default.
DEFAULT_STATUSES: Final = parse_statuses(SearchSettings().solved_statuses)
