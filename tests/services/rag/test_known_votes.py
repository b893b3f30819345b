"""The cache of votes: its maximum age, a process's own votes, and outages of the store."""

from collections.abc import Collection, Mapping
from typing import cast

from core.errors import FatalError, TransientError
from core.feedback import FeedbackStore, Votes
from services.rag.known_votes import KnownVotes


class Store:
    """A store with votes by tenant and ticket, which records the lookups."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Votes] = {}
        self.fault: Exception | None = None
        self.asked: list[list[str]] = []

    def votes(self, tenant_id: str, tickets: Collection[str]) -> Mapping[str, Votes]:
        self.asked.append(list(tickets))
        if self.fault is not None:
            raise self.fault
        return {one: self.kept[tenant_id, one] for one in tickets if (tenant_id, one) in self.kept}


class Known:
    """`KnownVotes` of a store, with a clock."""

    def __init__(self, *, fresh_s: float = 10.0, size: int = 100) -> None:
        self.store = Store()
        self.now = 0.0
        self.known = KnownVotes(cast("FeedbackStore", self.store), fresh_s=fresh_s, clock=lambda: self.now, size=size)

    def votes(self, tickets: str = "1", tenant_id: str = "acme") -> Mapping[str, Votes]:
        return self.known.votes(tenant_id, tickets)


def test_votes_of_other_processes_count_after_a_while() -> None:
    """Votes are read again when they are ten seconds old and not before, also for tickets without votes."""
    known = Known()
    assert known.votes() == {}
    known.store.kept["acme", "1"] = Votes(sent=1)
    known.now = 9.9
    assert known.votes() == {}
    known.now = 10.0
    assert known.votes() == {"1": Votes(sent=1)}
    assert known.votes("12") == {"1": Votes(sent=1)}
    assert known.store.asked == [["1"], ["1"], ["2"]]
    assert known.votes(tenant_id="other") == {}


def test_a_file_is_read_each_time() -> None:
    """With a maximum age of 0, votes are read at each search."""
    known = Known(fresh_s=0.0)
    for _ in range(2):
        known.votes()
    assert len(known.store.asked) == 2


def test_ones_own_vote_counts_at_once() -> None:
    """After a vote in this process, the votes on its tickets are read again, and only these."""
    known = Known()
    known.votes("12")
    known.store.kept |= {("acme", "1"): Votes(sent=1), ("acme", "2"): Votes(sent=2)}
    known.known.forget("acme", ["1"])
    assert known.votes("12") == {"1": Votes(sent=1)}
    assert known.store.asked[-1] == ["1"]


def test_an_outage_leaves_the_last_known_votes() -> None:
    """During an outage of any length tickets have the votes that were read before it, and after it the current ones."""
    known = Known()
    known.store.kept["acme", "1"] = Votes(sent=1)
    known.votes()
    for fault in (TransientError("out"), FatalError("the table is missing")):
        known.store.fault = fault
        known.now += 1_000
        known.known.forget("acme", ["1"])
        assert known.votes("12") == {"1": Votes(sent=1)}
    known.store.fault = None
    known.store.kept["acme", "1"] = Votes(sent=2)
    assert known.votes() == {"1": Votes(sent=2)}


def test_a_vote_during_a_read_is_read_again() -> None:
    """If a vote is given during a read, the result may lack it, so it is read again."""
    known = Known()
    read = known.store.votes

    def voting(tenant_id: str, tickets: Collection[str]) -> Mapping[str, Votes]:
        found = read(tenant_id, tickets)
        known.store.kept["acme", "1"] = Votes(sent=1)
        known.known.forget("acme", ["1"])
        return found

    known.store.votes = voting  # type: ignore[method-assign]  # once
    known.votes()
    known.store.votes = read  # type: ignore[method-assign]  # as it was
    assert known.votes() == {"1": Votes(sent=1)}


def test_only_so_many_tickets_are_kept() -> None:
    """Beyond the maximum size, the tickets that were read longest ago are dropped."""
    known = Known(size=2)
    known.votes("123")
    known.votes("123")
    assert known.store.asked == [["1", "2", "3"], ["1"]]
