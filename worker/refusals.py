"""What an index refuses: the tickets at fault, unless it is the index that no longer fits."""

from collections.abc import Callable, Sequence
from typing import Final

from core.errors import FatalError
from core.records import TicketPoints
from delivery.bisection import Refusal, write_all

#: One ticket that is refused may be bad; that all of several are, and each by itself, is the index's doing.
_SEVERAL: Final = 2


def write_tickets(tickets: Sequence[TicketPoints], insist: Callable[[Sequence[TicketPoints]], None]) -> list[Refusal]:
    """Write all that the index accepts; what it refuses by itself is returned, by place.

    Args:
        tickets: a batch.
        insist: writes some of them through any outage; raises RefusedError for data that the index won't take.

    Raises:
        FatalError: it refuses every one of several tickets with points. Deletes have none and suit any index.
    """
    refusals = write_all(tickets, insist)
    refused = sum(bool(tickets[refusal.at].points) for refusal in refusals)
    if refused >= _SEVERAL and refused == sum(bool(ticket.points) for ticket in tickets):
        raise FatalError(
            f"the index no longer fits: it refuses all {refused} tickets of a batch, each by itself "
            f"({refusals[-1].error}); stopped rather than move them to the dead letters"
        )
    return refusals
