"""One small attack per promise: kept by the pipeline as it is, broken by each of its mutants.

A trial is given an arena's maker and the name of a mutant, or none; it raises `BrokenError` when a promise isn't kept.
"""

import signal
import time
from collections.abc import Callable
from random import Random
from typing import Final

from synthetic.tickets import events
from tests.contracts.digest import contents
from tests.e2e.world import assert_same
from tests.faults.arena import MakeArena
from tests.faults.choices import shuffled
from tests.faults.crowd import DRAIN_S, LOOK_S
from tests.faults.oracle import require
from tests.faults.outages import (
    customers_out,
    flood,
    flood_of_long_ones,
    held_write,
    long_outage,
    one_batch_waits,
    outage_then_kill,
)
from tests.faults.tickets import deleted, record, ticket
from tests.rigs.calm import calm_clock
from tests.rigs.qdrant_facade import Fault
from tests.rigs.tansu import start_proxied

Trial = Callable[[MakeArena, Random], None]

_EMAIL: Final = "jane.doe@example.com"
_CARD: Final = "4111 1111 1111 1111"
_SECRET_WORD: Final = "xylophone"
_READ_ON_S: Final = 20.0
#: An orderly end takes less than a second where the broker answers. Where it doesn't, it takes until the client gives
#: up its farewell (5 s), or its session, for want of heartbeats: 3 s after the last one that was answered.
_SILENCE_S: Final = 2.0


def late_versions(make: MakeArena, rng: Random) -> None:
    """Older versions come after newer ones, deletes before what they delete, among broken records."""
    with make(WRITER__MAX_BATCH_RECORDS="16") as arena:
        arena.start()
        arena.send([ticket("late", 3), ticket("gone", 2), deleted("gone", 5)])
        arena.send(list(shuffled(events(300, seed=rng.randrange(10**6), edits=0.4, deletes=0.1, broken=0.05), rng)))
        arena.await_committed(303)
        arena.send([ticket("late", 2), ticket("gone", 3), deleted("late", 1)])
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
        arena.drain()
        index = arena.open_index()
        after = contents(index)
        index.close()
        try:
            assert_same(after, before)
        except AssertionError as error:
            require("P3", kept=False, words=str(error))
        arena.judge()


def terminated(make: MakeArena, rng: Random) -> None:
    """SIGTERM in the middle of slow writes: what is in flight is finished and committed, nothing is done twice."""
    with make(server=True, record=True, WRITER__MAX_BATCH_RECORDS="16") as arena:
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


def terminated_without_a_broker(make: MakeArena, rng: Random) -> None:
    """SIGTERM while the broker says nothing, with a commit to make and with none: the worker ends with 0."""
    # The session outlives the wait for the signal: a worker that has lost its partitions says no farewell.
    with start_proxied() as (broker, network), make(brokers=broker, runner="bytewax", session_timeout_s=3) as arena:
        for interval_s in ("60", "0.2"):
            worker = arena.start(KAFKA__COMMIT_INTERVAL_S=interval_s)
            arena.send(list(events(50, seed=rng.randrange(10**6), edits=0.3)))
            arena.await_all(lambda: worker.metric("tickets_acked_total") >= 50, "the acks")  # noqa: B023
            if interval_s != "60":
                arena.await_committed(100)
            network.half_open()
            began = time.monotonic()
            try:
                drain_s = arena.terminate(worker, at_most_s=DRAIN_S + 2)
            finally:
                silent_s = time.monotonic() - began
                network.heal()
            require("harness", silent_s > _SILENCE_S, f"the broker has answered: SIGTERM took {silent_s:.1f} s")
            arena.section.found("ended without its broker after, s", drain_s, bound=DRAIN_S, kept=drain_s <= DRAIN_S)
            require("P9", drain_s <= DRAIN_S, f"SIGTERM took {drain_s:.1f} s")
        arena.start()
        arena.finish(broker_may_lose=True)


def joins_and_leaves(make: MakeArena, rng: Random) -> None:
    """Workers join and leave in an orderly way under load: next to nothing is done twice."""
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
        arena.section.found("done twice", f"{again} of {records}", bound="1 %", kept=share < 0.01)
        require("P10", share < 0.01, f"{again} of {records} records were done twice")


def lost_with_a_full_window(make: MakeArena, rng: Random) -> None:
    """A worker whose window is full is frozen until its partitions are lost to it: given back, they are read on."""
    limits = {
        "WRITER__MAX_INFLIGHT_RECORDS": "64",
        "WRITER__MAX_BATCH_RECORDS": "16",
        "WRITER__MAX_CONCURRENT_BATCHES": "4",
    }
    with make(server=True, **limits) as arena:
        assert arena.server is not None
        worker = arena.start()
        arena.await_assigned(1)
        arena.server.inject(Fault("slow", on="writes", seconds=2.5))
        arena.send(list(events(400, seed=rng.randrange(10**6), edits=0.3)))
        arena.await_all(lambda: worker.metric("tickets_inflight") >= 64, "a full window")
        time.sleep(1.5)  # full for so long, it has paused
        worker.signal(signal.SIGSTOP)
        time.sleep(2 * arena.session_timeout_s)
        worker.signal(signal.SIGCONT)
        arena.await_all(lambda: worker.metric("tickets_rebalances_total", event="lost") > 0, "news of the loss")
        arena.server.heal()
        arena.await_assigned(1)
        given_back = calm_clock()
        while sum(arena.committed().values()) < 400:
            waited = calm_clock() - given_back
            require("P1", waited < _READ_ON_S, "partitions that were given back are not read")
            time.sleep(LOOK_S)
        arena.section.found("read on after, s", calm_clock() - given_back)
        arena.finish()


TRIALS: Final[dict[str, Trial]] = {
    trial.__name__: trial
    for trial in (  # the longest first
        joins_and_leaves,
        customers_out,
        terminated_without_a_broker,
        lost_with_a_full_window,
        long_outage,
        late_versions,
        private_data,
        tenants_apart,
        replay,
        outage_then_kill,
        one_batch_waits,
        held_write,
        flood,
        flood_of_long_ones,
        terminated,
    )
}
