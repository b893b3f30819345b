"""Records written outside any group: what the index refuses costs itself alone, and an outage is waited out."""

from collections.abc import Callable, Sequence

import pytest

from core.errors import FatalError, RefusedError, TransientError
from core.records import TicketPoints
from core.settings import ModelSettings, Settings, WriterSettings
from maintenance.bulk import Bulk
from maintenance.compare import Difference
from maintenance.rebuild import fill
from maintenance.reconcile import mend
from models.run.hashing import HashingEmbedder
from stream.plan import ticket_steps
from tests.fakes import FakeIndex
from tests.maintenance.test_reconcile import FakeLog, event, fold

_SETTINGS = Settings(model=ModelSettings(name="hashing"), writer=WriterSettings(backoff_max_s=0.001))
_RECORDS = [event(n, f"T-{n % 10}", n) for n in range(30)]
_WINNERS = {("acme", f"T-{n}"): 20 + n for n in range(10)}


class _Picky(FakeIndex):
    """Refuses some versions of tickets, whenever they come."""

    def __init__(self, *bad: tuple[str, int], fault: Callable[[int], Exception | None] = lambda _call: None) -> None:
        super().__init__(fault)
        self._bad = frozenset(bad)

    def write(self, tickets: Sequence[TicketPoints]) -> None:
        if any((ticket.ticket_id, ticket.version) in self._bad for ticket in tickets):
            raise RefusedError("a point is refused")
        super().write(tickets)


def _bulk(index: FakeIndex) -> Bulk:
    return Bulk(steps=ticket_steps(_SETTINGS, HashingEmbedder()), index=index, settings=_SETTINGS.writer)


def test_a_rebuild_leaves_out_what_the_index_refuses() -> None:
    """All others are written; of the ticket itself the best version that is accepted."""
    index = _Picky(("T-5", 25), ("T-7", 27), ("T-7", 17))
    bulk = _bulk(index)
    fill(fold(), FakeLog(_RECORDS, 30), bulk)
    assert index.versions == {**_WINNERS, ("acme", "T-5"): 15, ("acme", "T-7"): 7}
    assert bulk.rejected == 3


def test_a_rebuild_tries_again_what_was_dead_lettered() -> None:
    """The worker that refused it may have been mended since."""
    index = FakeIndex()
    fill(fold(), FakeLog(_RECORDS, 30, refused=[(0, 25)]), _bulk(index))
    assert index.versions == _WINNERS


def test_a_repair_goes_on_past_what_the_index_refuses() -> None:
    """Its letter may be gone by now: the other tickets are mended, and the ticket itself as far as it goes."""
    index = _Picky(("T-5", 25))
    bulk, found, log = _bulk(index), fold(), FakeLog(_RECORDS, 30)
    found.read(log.records())
    missing = [Difference("missing", "acme", f"T-{n}", 20 + n, None) for n in range(10)]
    assert mend(missing, found, log, bulk) == 9
    assert index.versions == {**_WINNERS, ("acme", "T-5"): 15}
    assert bulk.rejected_keys == {b"acme/T-5"}


def test_an_index_that_refuses_all_stops_it() -> None:
    """Made for another model, say: a rebuilt index must not come out empty."""
    with pytest.raises(FatalError, match="no longer fits"):
        fill(fold(), FakeLog(_RECORDS, 30), _bulk(_Picky(*[(f"T-{n}", 20 + n) for n in range(10)])))


def test_an_outage_is_waited_out() -> None:
    """Nothing is left out for it."""
    index = FakeIndex(lambda call: TransientError("index out") if call <= 3 else None)
    bulk = _bulk(index)
    fill(fold(), FakeLog(_RECORDS, 30), bulk)
    assert (index.versions, bulk.rejected) == (_WINNERS, 0)
