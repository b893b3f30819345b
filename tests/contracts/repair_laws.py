"""Laws of the writes of repairs, in the form of `tests.contracts.index_laws`."""

from collections.abc import Sequence
from contextlib import suppress

from connectors.qdrant.engine import Upsert
from connectors.qdrant.policy import VersionedIndex
from core.errors import TransientError
from core.index import IndexedTicket
from tests.contracts.digest import contents
from tests.contracts.index_laws import held, search, ticket, vector


def a_removed_ticket_leaves_no_trace(index: VersionedIndex) -> None:
    """A removed ticket is gone with its chunks, and its next event is accepted, whatever its version."""
    index.write([ticket("1", 5, 3), ticket("2", 5, 3), ticket("3", 5, 0)])
    index.remove([IndexedTicket("acme", "1", 5, 3, deleted=False), IndexedTicket("acme", "3", 5, 0, deleted=True)])
    assert held(index) == {("acme", "2"): (5, False)}
    assert index.size().points == 3
    index.write([ticket("1", 2, 1)])
    assert search(index, vector("acme", "1", 2, 0))[0] == ("acme", "1", 2)


def a_newer_version_is_not_removed(index: VersionedIndex) -> None:
    """A ticket that was written since it was listed stays, and so does a ticket of the same id of another tenant."""
    index.write([ticket("1", 5, 3), ticket("1", 5, 2, tenant="borealis")])
    listed = [IndexedTicket("acme", "1", 5, 3, deleted=False)]
    index.write([ticket("1", 6, 2)])
    index.remove(listed)
    assert held(index) == {("acme", "1"): (6, False), ("borealis", "1"): (5, False)}
    assert {payload["version"] for payload, *_vectors in contents(index).values()} == {5, 6}
    assert len(contents(index)) == 4


def an_equal_version_is_overwritten(index: VersionedIndex) -> None:
    """`overwrite` replaces a ticket of its version, deleted or not, with all of its chunks; a newer one stays."""
    tickets = [ticket("grows", 5, 3), ticket("shrinks", 5, 2), ticket("deleted", 5, 0), ticket("newer", 5, 1)]
    index.write(tickets)
    wanted = contents(index)
    index.remove([IndexedTicket("acme", one.ticket_id, 5, 0, deleted=False) for one in tickets])
    index.write([ticket("grows", 5, 0), ticket("shrinks", 5, 4), ticket("deleted", 5, 3), ticket("newer", 5, 1)])
    index.overwrite(tickets)
    assert contents(index) == wanted
    index.write([ticket("newer", 6, 2)])
    index.overwrite([ticket("newer", 5, 0)])
    assert held(index)["acme", "newer"] == (6, False)


def a_ticket_that_is_overwritten_is_never_missing(index: VersionedIndex) -> None:
    """After an interruption the list has the old state or the new one, so the next repair completes it."""
    index.write([ticket("buried", 5, 0), ticket("resurrected", 5, 3)])
    write = index.engine.write

    def dying(upserts: Sequence[Upsert], *, ordered: bool = False) -> None:
        del upserts, ordered
        raise TransientError("killed")

    index.engine.write = dying  # type: ignore[method-assign]
    with suppress(TransientError):
        index.overwrite([ticket("buried", 5, 3), ticket("resurrected", 5, 0)])
    index.engine.write = write  # type: ignore[method-assign]
    assert held(index) == {("acme", "buried"): (5, True), ("acme", "resurrected"): (5, False)}


LAWS = (
    a_removed_ticket_leaves_no_trace,
    a_newer_version_is_not_removed,
    an_equal_version_is_overwritten,
    a_ticket_that_is_overwritten_is_never_missing,
)
