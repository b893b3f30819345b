"""Trials: one small attack for each promise, which the real pipeline passes and mutants fail.

A trial makes its arenas with the function that it is given, and raises `BrokenError` if a promise is broken.
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
from tests.faults.fairness import files_of_an_index, flood_of_connections, flood_of_passages
from tests.faults.hostile import letter_too_large, transactions, unreadable_records
from tests.faults.letters import bad_letters_replayed
from tests.faults.memory import memory_of_the_default_model
from tests.faults.oracle import require
from tests.faults.outages import (
    customers_out,
    flood,
    flood_of_long_ones,
    half_an_outage_then_kill,
    held_write,
    long_outage,
    one_batch_waits,
    outage_then_kill,
)
from tests.faults.repairs import (
    rebuild_from_an_empty_topic,
    repair_of_a_large_surplus,
    repair_of_a_trimmed_log,
    repair_with_a_setting_missing,
)
from tests.faults.restores import index_from_an_older_copy
from tests.faults.tickets import deleted, record, ticket
from tests.rigs.calm import calm_clock
from tests.rigs.qdrant_facade import Fault
from tests.rigs.tansu import start_proxied

Trial = Callable[[MakeArena, Random], None]

_EMAIL: Final = "jane.doe@example.com"
_CARD: Final = "4111 1111 1111 1111"
_SECRET_WORD: Final = "xylophone"
_READ_ON_S: Final = 20.0
#: Real seconds. A shutdown takes less than one if the broker answers. Otherwise it takes until the client stops waiting
#: for an answer (5 s), or until its session ends, 3 s after the last heartbeat that was answered.
_SILENCE_S: Final = 2.0


def late_versions(make: MakeArena, rng: Random) -> None:
    """Older versions arrive after newer ones, and deletes before their tickets, among bad records."""
    with make(WRITER__MAX_BATCH_RECORDS="16") as arena:
        arena.start()
        arena.send([ticket("late", 3), ticket("gone", 2), deleted("gone", 5)])
        arena.send(list(shuffled(events(300, seed=rng.randrange(10**6), edits=0.4, deletes=0.1, broken=0.05), rng)))
        arena.await_committed(303)
        arena.send([ticket("late", 2), ticket("gone", 3), deleted("late", 1)])
        arena.await_committed(306)
        arena.finish()


def private_data(make: MakeArena, rng: Random) -> None:
    """Addresses and card numbers reach neither the index nor the log, and no other text reaches the log."""
    del rng
    body = f"write to {_EMAIL}, the card {_CARD} was charged for a {_SECRET_WORD}"
    broken = record(b"acme/torn", f'{{"op":"upsert","body":"{_SECRET_WORD} {_EMAIL}'.encode(), "broken")
    with make() as arena:
        worker = arena.start()
        arena.send([*(ticket(f"p{n}", 1, body=body) for n in range(20)), broken])
        arena.await_committed(21)
        arena.await_answers(1)
        arena.terminate(worker)
        words = worker.output()
        require(
            "privacy", not any(text in words for text in (_EMAIL, _CARD, _SECRET_WORD)), "a ticket's text is logged"
        )
        index = arena.open_index()
        held = str(contents(index))
        index.close()
        require("privacy", _EMAIL not in held and _CARD not in held, "an address or a card is in the index")
        require("privacy", _SECRET_WORD in held, "the other words are missing")
        arena.judge()


def tenants_apart(make: MakeArena, rng: Random) -> None:
    """A search never shows another tenant's ticket, though three tenants have the same texts."""
    with make() as arena:
        arena.start()
        arena.send([ticket(f"t{n}", 1, tenant=("acme", "borealis", "cobalt")[n % 3]) for n in range(150)])
        arena.await_committed(150)
        arena.await_answers(6)
        arena.finish()
    del rng


def replay(make: MakeArena, rng: Random) -> None:
    """A replay of the whole log by another group leaves the index unchanged."""
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
    """SIGTERM during slow writes: the worker finishes and commits the records in flight, and none is repeated."""
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
        require("P9", again == 0, f"{again} records were done twice over a shutdown")
        require("P9", drain_s <= 10, f"SIGTERM took {drain_s:.1f} s")


def terminated_without_a_broker(make: MakeArena, rng: Random) -> None:
    """SIGTERM while the broker doesn't answer: the worker exits with 0, with and without a commit to make."""
    # The session outlives the wait: a worker that has lost its partitions leaves without asking the broker.
    with start_proxied() as (broker, network), make(brokers=broker, runner="bytewax", session_timeout_s=3) as arena:
        acked = 0
        for interval_s in ("10", "0.2"):
            worker = arena.start(KAFKA__COMMIT_INTERVAL_S=interval_s)
            for _ in range(2):  # before its first commit a worker compares the index with the group's offsets
                arena.await_committed(acked)
                acked += 50
                arena.send(list(events(50, seed=rng.randrange(10**6), edits=0.3)))
            arena.await_all(lambda: worker.metric("tickets_acked_total") >= 100, "the acks")  # noqa: B023
            if interval_s != "10":
                arena.await_committed(acked)
            network.half_open()
            began = time.monotonic()
            try:
                drain_s = arena.terminate(worker, at_most_s=DRAIN_S + 2)
            finally:
                silent_s = time.monotonic() - began
                network.heal()
            require("harness", silent_s > _SILENCE_S, f"the broker answered: SIGTERM took {silent_s:.1f} s")
            arena.section.found("ended without its broker after, s", drain_s, bound=DRAIN_S, kept=drain_s <= DRAIN_S)
            require("P9", drain_s <= DRAIN_S, f"SIGTERM took {drain_s:.1f} s")
        arena.start()
        arena.finish(broker_may_lose=True)


def terminated_before_its_first_commit(make: MakeArena, rng: Random) -> None:
    """SIGTERM before the offsets were compared with the index, while the broker is silent: the worker ends in time."""
    with start_proxied() as (broker, network), make(brokers=broker, watched=False, session_timeout_s=15) as arena:
        worker = arena.start(KAFKA__COMMIT_INTERVAL_S="60")
        arena.send(list(events(50, seed=rng.randrange(10**6))))
        arena.await_all(lambda: worker.metric("tickets_acked_total") >= 50, "the acks")
        network.half_open()
        try:
            drain_s = arena.terminate(worker, at_most_s=DRAIN_S + 2)
        finally:
            network.heal()
        arena.section.found("ended without its broker after, s", drain_s, bound=DRAIN_S, kept=drain_s <= DRAIN_S)
        require("P9", drain_s <= DRAIN_S, f"SIGTERM took {drain_s:.1f} s")
        noted = sum(arena.origin().of(arena.log_identity()).positions.values())
        require("P9", noted == 50, f"of 50 records that were acked {noted} are noted in the index")
        arena.start()
        arena.finish(broker_may_lose=True)


def joins_and_leaves(make: MakeArena, rng: Random) -> None:
    """Workers join and stop under load, and almost no record is done twice."""
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
    """A worker with a full window is frozen until it loses its partitions; it reads on once it has them again."""
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
        time.sleep(1.5)  # by now it has paused
        worker.signal(signal.SIGSTOP)
        time.sleep(2 * arena.session_timeout_s)
        worker.signal(signal.SIGCONT)
        arena.await_all(lambda: worker.metric("tickets_rebalances_total", event="lost") > 0, "news of the loss")
        arena.server.heal()
        arena.await_assigned(1)
        given_back = calm_clock()
        while sum(arena.committed().values()) < 400:
            waited = calm_clock() - given_back
            require("P1", waited < _READ_ON_S, "partitions that were reassigned are not read")
            time.sleep(LOOK_S)
        arena.section.found("read on after, s", calm_clock() - given_back)
        arena.finish()


#: `make test` leaves these out: tests/e2e/test_repairs.py covers repairs, and the others take long.
LONG: Final[dict[str, Trial]] = {
    trial.__name__: trial
    for trial in (
        memory_of_the_default_model,
        terminated_before_its_first_commit,
        repair_of_a_trimmed_log,
        repair_with_a_setting_missing,
        repair_of_a_large_surplus,
        rebuild_from_an_empty_topic,
    )
}

TRIALS: Final[dict[str, Trial]] = LONG | {
    trial.__name__: trial
    for trial in (  # the longest first
        flood_of_connections,
        index_from_an_older_copy,
        joins_and_leaves,
        customers_out,
        terminated_without_a_broker,
        lost_with_a_full_window,
        long_outage,
        late_versions,
        private_data,
        tenants_apart,
        replay,
        unreadable_records,
        transactions,
        letter_too_large,
        bad_letters_replayed,
        outage_then_kill,
        half_an_outage_then_kill,
        one_batch_waits,
        held_write,
        flood,
        flood_of_long_ones,
        flood_of_passages,
        files_of_an_index,
        terminated,
    )
}
