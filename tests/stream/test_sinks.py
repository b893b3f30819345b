"""A bad ticket, or an index that no longer fits: which of the two a refusal means."""

from collections.abc import Sequence

import pytest

from core.errors import FatalError, RefusedError
from core.records import Point, TicketPoints
from stream.sinks import write_tickets


def _upserts(count: int) -> list[TicketPoints]:
    return [TicketPoints("acme", str(n), 1, (Point(str(n), None, {}),)) for n in range(count)]


def _deletes(count: int) -> list[TicketPoints]:
    return [TicketPoints("acme", f"gone-{n}", 1, ()) for n in range(count)]


class _Index:
    """Refuses tickets with points, but for those named."""

    def __init__(self, *good: str) -> None:
        self._good = good
        self.written: list[str] = []

    def write(self, tickets: Sequence[TicketPoints]) -> None:
        if any(ticket.points and ticket.ticket_id not in self._good for ticket in tickets):
            raise RefusedError("invalid_argument")
        self.written += [ticket.ticket_id for ticket in tickets]


@pytest.mark.parametrize("deletes", [0, 1, 50])
@pytest.mark.parametrize("upserts", [2, 3, 64])
def test_an_index_that_refuses_every_one_of_several_no_longer_fits(upserts: int, deletes: int) -> None:
    """Deletes that it takes say nothing: they have no vector."""
    with pytest.raises(FatalError, match=f"no longer fits: it refuses all {upserts} tickets") as raised:
        write_tickets([*_deletes(deletes), *_upserts(upserts)], _Index().write)
    assert not isinstance(raised.value, RefusedError), "nobody is to blame, so nobody is dead-lettered"


def test_one_that_is_refused_among_deletes_is_bad() -> None:
    """There is nothing to compare it with."""
    assert [refusal.at for refusal in write_tickets([*_deletes(3), *_upserts(1)], _Index().write)] == [3]


def test_all_but_one_may_be_bad() -> None:
    """The one that the index takes shows that it fits."""
    index = _Index("4")
    assert [refusal.at for refusal in write_tickets(_upserts(8), index.write)] == [0, 1, 2, 3, 5, 6, 7]
    assert index.written == ["4"]
