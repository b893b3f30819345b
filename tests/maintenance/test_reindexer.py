"""Records indexed outside any group: a refused ticket stops no other, and an outage is retried."""

from collections.abc import Callable, Sequence

import pytest

from core.errors import FatalError, RefusedError, TransientError
from core.model_settings import ModelSettings
from core.records import TicketPoints
from core.settings import Settings, WriterSettings
from maintenance.compare import Difference
from maintenance.rebuild import write_latest
from maintenance.reconcile import repair_index
from maintenance.reindexer import Reindexer
from models.run.hashing import HashingEmbedder
from stream.plan import ticket_steps
from tests.fakes import FakeIndex
from tests.maintenance.test_reconcile import FakeLog, event, fold

_SETTINGS = Settings(model=ModelSettings(name="hashing"), writer=WriterSettings(backoff_max_s=0.001))
_RECORDS = [event(n, f"T-{n % 10}", n) for n in range(30)]
_LATEST = {("acme", f"T-{n}"): 20 + n for n in range(10)}


class _Picky(FakeIndex):
    """Refuses some versions of tickets."""

    def __init__(self, *bad: tuple[str, int], fault: Callable[[int], Exception | None] = lambda _call: None) -> None:
        super().__init__(fault)
        self._bad = frozenset(bad)

    def write(self, tickets: Sequence[TicketPoints]) -> None:
        if any((ticket.ticket_id, ticket.version) in self._bad for ticket in tickets):
            raise RefusedError("a point is refused")
        super().write(tickets)


def _reindexer(index: FakeIndex) -> Reindexer:
    return Reindexer(steps=ticket_steps(_SETTINGS, HashingEmbedder()), index=index, settings=_SETTINGS.writer)


def test_a_rebuild_skips_refused_versions() -> None:
    """A rebuild writes every other ticket, and the highest accepted version of one whose latest is refused."""
    index = _Picky(("T-5", 25), ("T-7", 27), ("T-7", 17))
    reindexer = _reindexer(index)
    write_latest(fold(), FakeLog(_RECORDS, 30), reindexer)
    assert index.versions == {**_LATEST, ("acme", "T-5"): 15, ("acme", "T-7"): 7}
    assert reindexer.rejected == 3


def test_a_rebuild_retries_dead_lettered_records() -> None:
    """A rebuild indexes a dead-lettered record if it is accepted now, as the worker may have been repaired."""
    index = FakeIndex()
    write_latest(fold(), FakeLog(_RECORDS, 30, dead_lettered=[(0, 25)]), _reindexer(index))
    assert index.versions == _LATEST


def test_a_repair_continues_past_refused_tickets() -> None:
    """A repair writes the other tickets, and the highest accepted version of the refused one."""
    index = _Picky(("T-5", 25))
    reindexer, found, log = _reindexer(index), fold(), FakeLog(_RECORDS, 30)
    found.read(log.records())
    missing = [Difference("missing", "acme", f"T-{n}", 20 + n, None) for n in range(10)]
    assert repair_index(missing, found, log, reindexer) == 9
    assert index.versions == {**_LATEST, ("acme", "T-5"): 15}
    assert reindexer.rejected_keys == {b"acme/T-5"}


def test_an_index_that_refuses_every_ticket_stops_a_rebuild() -> None:
    """A rebuild stops at an index that refuses every ticket, such as one of another model."""
    with pytest.raises(FatalError, match="rejects every ticket"):
        write_latest(fold(), FakeLog(_RECORDS, 30), _reindexer(_Picky(*[(f"T-{n}", 20 + n) for n in range(10)])))


def test_an_outage_is_retried() -> None:
    """An outage is retried until it ends, and no ticket is skipped for it."""
    index = FakeIndex(lambda call: TransientError("index out") if call <= 3 else None)
    reindexer = _reindexer(index)
    write_latest(fold(), FakeLog(_RECORDS, 30), reindexer)
    assert (index.versions, reindexer.rejected) == (_LATEST, 0)
