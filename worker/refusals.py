"""What a sink refuses: the tickets at fault, unless it is the sink that no longer fits."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from core.errors import FatalError
from core.records import Record, Rejected, Stage
from delivery.bisection import Refusal, write_all


class _Ticket(Protocol):
    @property
    def rows(self) -> int: ...


T = TypeVar("T", bound=_Ticket)

#: One ticket that is refused may be bad; that all of several are, and each by itself, is the sink's doing.
_SEVERAL: Final = 2

#: Who blames a record that a sink refuses, and for what: a topic takes anything that isn't too large.
_BLAME: Final[dict[str, tuple[Stage, str]]] = {
    "index": ("index", "bad_point"),
    "enriched": ("enrich", "too_large"),
    "embedded": ("embed", "too_large"),
}


def write_tickets(tickets: Sequence[T], insist: Callable[[Sequence[T]], None], *, sink: str = "index") -> list[Refusal]:
    """Write all that the sink accepts; what it refuses by itself is returned, by place.

    Args:
        tickets: a batch.
        insist: writes some of them through any outage; raises RefusedError for data that the sink won't take.
        sink: its name.

    Raises:
        FatalError: it refuses every one of several tickets with points. Deletes have none and suit any sink.
    """
    refusals = write_all(tickets, insist)
    refused = sum(bool(tickets[refusal.at].rows) for refusal in refusals)
    if refused >= _SEVERAL and refused == sum(bool(ticket.rows) for ticket in tickets):
        raise FatalError(
            f"the {_called(sink)} no longer fits: it refuses all {refused} tickets of a batch, each by itself "
            f"({refusals[-1].error}); stopped rather than move them to the dead letters"
        )
    return refusals


def refusal_of(sink: str, record: Record, refusal: Refusal) -> Rejected:
    """`record` as a dead letter."""
    stage, code = _BLAME[sink]
    return Rejected(record, stage, code, str(refusal.error))


def _called(sink: str) -> str:
    return sink if sink == "index" else f"topic of {sink} tickets"
