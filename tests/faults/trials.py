"""One small attack per promise: kept by the pipeline as it is, broken by each of its mutants.

A trial is given an arena's maker and the name of a mutant, or none; it raises `BrokenError` when a promise isn't kept.
"""

import time
from collections.abc import Callable
from random import Random
from typing import Any, Final

import msgspec

from connectors.index.digest import contents
from core.contract import record_key
from core.settings import WriterSettings
from synthetic.tickets import Kind, SyntheticRecord, events
from tests.e2e.world import assert_same
from tests.faults.arena import Arena
from tests.faults.choices import shuffled
from tests.faults.oracle import require
from tests.faults.server import Outage
from tests.rigs.qdrant_facade import Fault

#: Makes an arena of a trial's own; what it is given are the arena's own arguments.
MakeArena = Callable[..., Arena]
Trial = Callable[[MakeArena, Random], None]

_EMAIL: Final = "jane.doe@example.com"
_CARD: Final = "4111 1111 1111 1111"
_SECRET_WORD: Final = "xylophone"
_START_MS: Final = 1_767_225_600_000
#: Records a second while and after the index is out.
_ARRIVING: Final = 60


def late_versions(make: MakeArena, rng: Random) -> None:
    """Older versions come after newer ones, deletes before what they delete, among broken records."""
    with make(WRITER__MAX_BATCH_TICKETS="16") as arena:
        arena.start()
        arena.send([ticket("late", 3), ticket("gone", 2), _deleted("gone", 5)])
        arena.send(list(shuffled(events(300, seed=rng.randrange(10**6), edits=0.4, deletes=0.1, broken=0.05), rng)))
        arena.await_committed(303)
        arena.send([ticket("late", 2), ticket("gone", 3), _deleted("late", 1)])
        arena.await_committed(306)
        arena.finish()


def private_data(make: MakeArena, rng: Random) -> None:
    """Addresses and cards in tickets reach neither the index nor the log; nor does any other word of them."""
    del rng
    body = f"write to {_EMAIL}, the card {_CARD} was charged for a {_SECRET_WORD}"
    broken = record(b"acme/torn", f'{{"op":"upsert","body":"{_SECRET_WORD} {_EMAIL}'.encode(), "broken")
    with make() as arena:
        worker = arena.start()
        arena.send([*(ticket(f"p{n}", 1, body=body) for n in range(20)), broken])
        arena.await_committed(21)
        arena.await_answers(1)
        arena.terminate(worker)
        words = worker.words()
        require(
            "privacy", not any(text in words for text in (_EMAIL, _CARD, _SECRET_WORD)), "a ticket's text is logged"
        )
        index = arena.open_index()
        held = str(contents(index))
        index.close()
        require("privacy", _EMAIL not in held and _CARD not in held, "an address or a card is in the index")
        require("privacy", _SECRET_WORD in held, "the other words are there")
        arena.judge()


def tenants_apart(make: MakeArena, rng: Random) -> None:
    """Three tenants with the same words: none is ever shown another's ticket."""
    with make() as arena:
        arena.start()
        arena.send([ticket(f"t{n}", 1, tenant=("acme", "borealis", "cobalt")[n % 3]) for n in range(150)])
        arena.await_committed(150)
        arena.await_answers(6)
        arena.finish()
    del rng


def replay(make: MakeArena, rng: Random) -> None:
    """Another group reads the whole log again into the same index: its contents stay as they are."""
    with make(watched=False) as arena:
        arena.start()
        arena.send(list(events(200, seed=rng.randrange(10**6), edits=0.3)))
        arena.finish()
        index = arena.open_index()
        before = contents(index)
        index.close()
        arena.new_group()
        arena.start()
        arena.finish()
        index = arena.open_index()
        after = contents(index)
        index.close()
    try:
        assert_same(after, before)
    except AssertionError as error:
        require("P3", kept=False, words=str(error))


def outage_then_kill(make: MakeArena, rng: Random) -> None:
    """The index goes out, records are read, the worker is killed: all of them are read again."""
    with make(server=True) as arena:
        assert arena.server is not None
        worker = arena.start()
        arena.send(list(events(60, seed=rng.randrange(10**6))))
        arena.await_committed(60)
        with arena.server.outage():
            arena.send(list(events(200, seed=rng.randrange(10**6), edits=0.3)))
            arena.await_all(lambda: worker.metric("tickets_records_total") >= 260, "the reading of what was sent")
            time.sleep(1.0)
            letters = len(arena.world.letters())
            require("P6", letters == 0, f"{letters} good records are in the dead letters")
            committed = sum(arena.committed().values())
            require("P1", committed == 60, f"{committed - 60} records are committed that no index has")
            arena.kill(worker)
        arena.start()
        arena.finish()


def one_batch_waits(make: MakeArena, rng: Random) -> None:
    """A batch is on its way for long while those after it are done: the commit waits for it; a kill loses nothing."""
    with make(server=True, partitions=1, WRITER__MAX_BATCH_TICKETS="8", INDEX__TIMEOUT_S="40") as arena:
        assert arena.server is not None
        arena.server.held.add(("stuck", 1))
        worker = arena.start()
        arena.send([ticket("stuck", 1)])
        arena.await_all(arena.server.waiting.is_set, "the write")
        arena.send(list(events(100, seed=rng.randrange(10**6))))
        arena.await_all(lambda: worker.metric("tickets_acked_total") >= 90, "acks of what came later")
        time.sleep(0.6)
        committed = sum(arena.committed().values())
        require("P1", committed == 0, f"offset {committed} is committed before the record at 0 is durable")
        arena.kill(worker)
        arena.server.lose()
        arena.start()
        arena.finish()


def held_write(make: MakeArena, rng: Random) -> None:
    """A write of version 1 is on its way when version 2 is written: it arrives last, and changes nothing."""
    del rng
    with make(server=True) as arena:
        assert arena.server is not None
        arena.server.held.add(("slow", 1))
        worker = arena.start()
        arena.send([ticket("slow", 1)])
        arena.await_all(arena.server.waiting.is_set, "the write")
        arena.send([ticket("slow", 2)])
        arena.await_all(lambda: worker.metric("tickets_acked_total") >= 1, "the ack of version 2")
        arena.server.release()
        arena.finish()


def flood(make: MakeArena, rng: Random) -> None:
    """The index is out and thousands of records wait: what is in flight stays within the credits."""
    limit, batch = 128, 32
    settings = {"WRITER__MAX_INFLIGHT_TICKETS": str(limit), "WRITER__MAX_BATCH_TICKETS": str(batch)}
    with make(server=True, **settings) as arena:
        assert arena.server is not None
        worker = arena.start()
        arena.await_assigned(1)
        with arena.server.outage():
            arena.send(list(events(1_500, seed=rng.randrange(10**6))))
            most = 0.0
            for _ in range(20):
                most = max(most, worker.metric("tickets_inflight"))
                time.sleep(0.1)
        arena.section.found("most records in flight", int(most), bound=limit + batch, kept=most <= limit + batch)
        require("P7", most <= limit + batch, f"{most:.0f} records in flight, {limit} allowed and a batch beyond it")
        arena.finish()


def long_outage(make: MakeArena, rng: Random) -> None:
    """The index is out for longer than the poll interval: nobody is evicted, nothing is lost or dead-lettered."""
    out_of_the_index(make, rng, max_poll_s=2, outage_s=4)


def out_of_the_index(
    make: MakeArena, rng: Random, *, max_poll_s: int, outage_s: int, how: Outage = "down", **settings: str
) -> None:
    """As `long_outage`, of any length and kind, at the backoff that a worker has by default.

    Once the index is back, writes go on within five seconds, and what has piled up is worked off at twice the rate at
    which more arrives, or faster.
    """
    settings |= {
        "KAFKA__MAX_POLL_INTERVAL_S": str(max_poll_s),
        "WRITER__MAX_INFLIGHT_TICKETS": "64",
        "WRITER__BACKOFF_MAX_S": str(WriterSettings().backoff_max_s),
    }
    with make(server=True, **settings) as arena:
        assert arena.server is not None
        worker = arena.start()
        arena.send(list(events(60, seed=rng.randrange(10**6))))
        arena.await_committed(60)
        arena.feeder.start(events(10**7, seed=rng.randrange(10**6), edits=0.3, start_ms=_START_MS * 2), rate=_ARRIVING)
        time.sleep(0.5)
        with arena.server.outage(how):
            arena.section.note(f"the index is out for {outage_s} s: {how}")
            time.sleep(outage_s)
            require("P6", not arena.world.letters(), "good records are in the dead letters")
            before = sum(arena.committed().values())
        ended = time.monotonic()
        arena.await_all(lambda: sum(arena.committed().values()) > before, "a commit after it")
        resumed = time.monotonic() - ended
        arena.section.found("writes resumed after, s", resumed, bound=5, kept=resumed <= 5)
        _work_off(arena)
        # A worker that was evicted hears of it at its next poll.
        evicted = sum(worker.metric("tickets_rebalances_total", event=event) for event in ("lost", "revoke"))
        arena.section.found("evicted", int(evicted), bound=0, kept=not evicted)
        require("P8", evicted == 0, "the worker was evicted from its group")
        arena.finish()
        require("P8", resumed <= 5, f"writes resumed {resumed:.1f} s after the outage")


def _work_off(arena: Arena) -> None:
    """Wait until less than a second's arrivals are left, and hold the rate against that of the arrivals."""
    began, first = time.monotonic(), sum(arena.committed().values())
    arena.await_caught_up(_ARRIVING)
    took, done = time.monotonic() - began, sum(arena.committed().values()) - first
    rate, least = done / took, 2 * _ARRIVING
    if done < least:  # too little to speak of a rate
        arena.section.found("worked off, records/s", "all by the first commit", bound=f"at least {least}")
        return
    arena.section.found("worked off, records/s", round(rate), bound=f"at least {least}", kept=rate >= least)
    require("P8", rate >= least, f"{rate:.0f} records/s are worked off while {_ARRIVING} arrive")


def terminated(make: MakeArena, rng: Random) -> None:
    """SIGTERM in the middle of slow writes: what is in flight is finished and committed, nothing is done twice."""
    with make(server=True, record=True, WRITER__MAX_BATCH_TICKETS="16") as arena:
        assert arena.server is not None
        arena.server.inject(Fault("slow", on="writes", seconds=0.15))
        worker = arena.start()
        arena.send(list(events(400, seed=rng.randrange(10**6))))
        arena.await_all(lambda: worker.metric("tickets_acked_total") >= 30, "the first acks")
        drain_s = arena.terminate(worker)
        arena.section.found("drain, s", drain_s, bound=10, kept=drain_s <= 10)
        acked = arena.acked()
        committed = sum(arena.committed().values())
        require("P9", acked == committed, f"{acked} records were acked and {committed} committed")
        arena.server.heal()
        arena.start()
        arena.await_assigned(1)
        arena.finish()
        again, _records = arena.duplicates()
        require("P9", again == 0, f"{again} records were done twice over an orderly end")
        require("P9", drain_s <= 10, f"SIGTERM took {drain_s:.1f} s")


def joins_and_leaves(make: MakeArena, rng: Random) -> None:
    """Workers join and leave in an orderly way under load: less than one record in twenty is done twice."""
    with make(server=True, record=True, KAFKA__COMMIT_INTERVAL_S="3") as arena:
        arena.start()
        arena.await_assigned(1)
        arena.feeder.start(events(10**7, seed=rng.randrange(10**6), edits=0.3), rate=100)
        arena.await_moved(arena.committed())
        joined = arena.start()
        arena.await_all(lambda: joined.metric("tickets_acked_total") > 0, "work for the second", promise="P10")
        time.sleep(0.5)
        arena.terminate(joined)
        arena.await_moved(arena.committed())
        arena.finish()
        again, records = arena.duplicates()
        share = again / records
        arena.section.found("done twice", f"{again} of {records}", bound="5 %", kept=share < 0.05)
        require("P10", share < 0.05, f"{again} of {records} records were done twice")


TRIALS: Final[dict[str, Trial]] = {
    trial.__name__: trial
    for trial in (  # the longest first
        joins_and_leaves,
        long_outage,
        late_versions,
        private_data,
        tenants_apart,
        replay,
        outage_then_kill,
        one_batch_waits,
        held_write,
        flood,
        terminated,
    )
}


def record(key: bytes, value: bytes | None, kind: Kind = "create") -> SyntheticRecord:
    """A record of our own."""
    return SyntheticRecord(key, value, kind)


def ticket(ticket_id: str, version: int, *, tenant: str = "acme", body: str = "cannot sign in") -> SyntheticRecord:
    """An upsert of this version; its text names it."""
    event: dict[str, Any] = {
        "op": "upsert",
        "tenant_id": tenant,
        "ticket_id": ticket_id,
        "version": version,
        "subject": f"Version {version}",
        "body": body,
        "created_at": _START_MS,
        "updated_at": _START_MS + version,
    }
    return record(record_key(tenant, ticket_id), msgspec.json.encode(event), "edit")


def _deleted(ticket_id: str, version: int) -> SyntheticRecord:
    event = {"op": "delete", "tenant_id": "acme", "ticket_id": ticket_id, "version": version, "updated_at": _START_MS}
    return record(record_key("acme", ticket_id), msgspec.json.encode(event), "delete")
