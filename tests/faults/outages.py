"""Trials of outages: an index that is out, slow or silent, writes that hang, and a directory that is out."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Final

from core.settings import EnrichSettings, WriterSettings
from synthetic.tickets import SyntheticRecord, events
from tests.e2e.world import WorkerProcess
from tests.faults.arena import Arena, MakeArena
from tests.faults.crowd import LOOK_S
from tests.faults.directory import set_state
from tests.faults.oracle import require
from tests.faults.server import Outage
from tests.faults.tickets import START_MS, TENANTS, ticket
from tests.rigs.calm import calm_clock
from tests.rigs.qdrant_facade import Fault

#: Records in a calm second, during an outage and after it.
_ARRIVING: Final = 40
#: Enough to measure the rate at which it is worked off.
_BACKLOG: Final = 5 * _ARRIVING
#: Session timeout where no worker is killed: late heartbeats must not evict one.
_SESSION_S: Final = 6.0
#: Calm seconds of ten commit intervals of these workers.
_COMMITS_S: Final = 2.0
#: The calm clock advances in steps; this is a few of them.
_ROUND_S: Final = 1.0
#: Long enough that a single batch hardly changes the rate.
_WINDOW_S: Final = 4.0


def outage_then_kill(make: MakeArena, rng: Random) -> None:
    """A worker is killed during an outage of the index; the next one reads the unwritten records again."""
    with make(server=True) as arena:
        assert arena.server is not None
        worker = arena.start()
        arena.send(list(events(60, seed=rng.randrange(10**6))))
        arena.await_committed(60)
        with arena.server.outage():
            arena.send(list(events(200, seed=rng.randrange(10**6), edits=0.3)))
            arena.await_all(lambda: worker.metric("tickets_records_total") >= 260, "the reading of what was sent")
            _stays_committed(arena, 60)
            letters = len(arena.world.letters())
            require("P6", letters == 0, f"{letters} good records are dead-lettered")
            arena.kill(worker)
        arena.start()
        arena.finish()


def half_an_outage_then_kill(make: MakeArena, rng: Random) -> None:
    """The index accepts positions but no tickets, and a worker is killed: no position has moved."""
    with make(server=True) as arena:
        assert arena.server is not None
        worker = arena.start()
        arena.send(list(events(60, seed=rng.randrange(10**6))))
        arena.await_committed(60)
        arena.server.inject(Fault("error", code="UNAVAILABLE", on="writes"))
        arena.send(list(events(200, seed=rng.randrange(10**6), edits=0.3)))
        arena.await_all(lambda: worker.metric("tickets_records_total") >= 260, "the reading of what was sent")
        _stays_committed(arena, 60)
        held = arena.origin().of(arena.log_identity()).positions
        require("P13", sum(held.values()) == 60, "the index claims to hold records that it doesn't")
        arena.kill(worker)
        arena.server.heal()
        arena.start()
        arena.finish()


def one_batch_waits(make: MakeArena, rng: Random) -> None:
    """A slow batch holds back the commit of the batches after it, so that a kill loses nothing."""
    with make(holding=True, partitions=1, WRITER__MAX_BATCH_RECORDS="8", INDEX__TIMEOUT_S="40") as arena:
        assert arena.holding is not None
        arena.holding.held.add(("stuck", 1))
        worker = arena.start()
        arena.send([ticket("stuck", 1)])
        arena.await_all(arena.holding.waiting.is_set, "the write")
        arena.send(list(events(100, seed=rng.randrange(10**6))))
        arena.await_all(lambda: worker.metric("tickets_acked_total") >= 90, "acks of later records")
        _stays_committed(arena, 0)
        arena.kill(worker)
        arena.holding.lose()
        arena.start()
        arena.finish()


def _stays_committed(arena: Arena, durable: int) -> None:
    """Require that no more than `durable` records are committed, for ten commit intervals."""
    began = calm_clock()
    while calm_clock() - began < _COMMITS_S:
        ahead = sum(arena.committed().values()) - durable
        require("P1", ahead == 0, f"{ahead} committed records are in no index")
        time.sleep(LOOK_S)


def held_write(make: MakeArena, rng: Random) -> None:
    """A write of version 1 that arrives after version 2 was written changes nothing."""
    del rng
    with make(holding=True) as arena:
        assert arena.holding is not None
        arena.holding.held.add(("slow", 1))
        worker = arena.start()
        arena.send([ticket("slow", 1)])
        arena.await_all(arena.holding.waiting.is_set, "the write")
        arena.send([ticket("slow", 2)])
        arena.await_all(lambda: worker.metric("tickets_acked_total") >= 1, "the ack of version 2")
        arena.holding.release()
        arena.finish()


def flood(make: MakeArena, rng: Random) -> None:
    """With hundreds of records waiting for the index, no more are in flight than the credits allow."""
    limit, batch = 128, 32
    settings = {"WRITER__MAX_INFLIGHT_RECORDS": str(limit), "WRITER__MAX_BATCH_RECORDS": str(batch)}
    records = list(events(800, seed=rng.randrange(10**6)))
    _flooded(make, records, settings, metric="tickets_inflight", limit=limit, batch=batch)


def flood_of_long_ones(make: MakeArena, rng: Random) -> None:
    """As `flood`, with records so long that the limit of bytes applies."""
    del rng
    limit, size, tickets = 1024 * 1024, 40_000, 8
    settings = {
        "WRITER__MAX_INFLIGHT_BYTES": str(limit),
        "WRITER__MAX_BATCH_RECORDS": str(tickets),
        "WRITER__MAX_CONCURRENT_BATCHES": "8",  # nine such batches would be 2.8 MB
    }
    records = [ticket(f"long{n}", 1, body="cannot sign in. " * (size // 16)) for n in range(60)]
    batch = tickets * max(len(one.value or b"") + 1_000 for one in records)
    _flooded(make, records, settings, metric="tickets_inflight_bytes", limit=limit, batch=batch)


def _flooded(
    make: MakeArena,
    records: Sequence[SyntheticRecord],
    settings: Mapping[str, str],
    *,
    metric: str,
    limit: int,
    batch: int,
) -> None:
    with make(server=True, **settings) as arena:
        assert arena.server is not None
        worker = arena.start()
        arena.await_assigned(1)
        with arena.server.outage():
            arena.send(records)
            arena.await_all(lambda: worker.metric(metric) >= limit - batch, "a flood", promise="harness")
            most = 0.0
            for _ in range(20):
                most = max(most, worker.metric(metric))
                time.sleep(0.1)
        arena.section.found(f"most of {metric}", int(most), bound=limit + batch, kept=most <= limit + batch)
        require("P7", most <= limit + batch, f"{most:.0f} in flight; {limit} and one batch are allowed")
        arena.finish()


def long_outage(make: MakeArena, rng: Random) -> None:
    """The index is out for longer than the poll interval: the worker stays in its group and loses nothing."""
    out_of_the_index(make, rng, max_poll_s=2, outage_s=4)


def out_of_the_index(
    make: MakeArena, rng: Random, *, max_poll_s: int, outage_s: int, how: Outage = "down", **settings: str
) -> None:
    """Take the index out for `outage_s` seconds, at the default backoff.

    When it is back, writes resume within five seconds, and the backlog is worked off at twice the rate of arrivals or
    faster, in calm seconds.
    """
    settings |= {
        "KAFKA__MAX_POLL_INTERVAL_S": str(max_poll_s),
        "WRITER__MAX_INFLIGHT_RECORDS": "64",
        "WRITER__BACKOFF_MAX_S": str(WriterSettings().backoff_max_s),
    }
    with make(server=True, session_timeout_s=min(max_poll_s, _SESSION_S), **settings) as arena:
        assert arena.server is not None
        worker = arena.start()
        arena.send(list(events(60, seed=rng.randrange(10**6))))
        arena.await_committed(60)
        arena.feeder.start(_arriving(rng), rate=_ARRIVING, calm=True)
        time.sleep(0.5)
        with arena.server.outage(how):
            arena.section.note(f"the index is out for {outage_s} s: {how}")
            time.sleep(outage_s)
            arena.await_all(lambda: arena.behind() >= _BACKLOG, "a backlog", promise="harness")
            require("P6", not arena.world.letters(), "good records are dead-lettered")
            before = sum(arena.committed().values())
        ended = calm_clock()
        arena.await_all(lambda: sum(arena.committed().values()) > before, "a commit after the outage")
        resumed = calm_clock() - ended
        arena.section.found("writes resumed after, s", resumed, bound=5, kept=resumed <= 5)
        _work_off(arena)
        evicted = _evictions(worker)
        arena.section.found("evicted", evicted, bound=0, kept=not evicted)
        require("P8", evicted == 0, "the worker was evicted from its group")
        arena.finish()
        require("P8", resumed <= 5, f"writes resumed {resumed:.1f} s after the outage")


def _arriving(rng: Random) -> Iterator[SyntheticRecord]:
    return events(10**7, seed=rng.randrange(10**6), edits=0.3, start_ms=START_MS * 2)


def customers_out(make: MakeArena, rng: Random) -> None:
    """The customer directory is out, then hangs, each for longer than the poll interval; tickets wait for its facts."""
    settings = {"KAFKA__MAX_POLL_INTERVAL_S": "2", "WRITER__MAX_INFLIGHT_RECORDS": "64"}
    with make(server=True, record=True, session_timeout_s=2.0, **settings) as arena:
        state, file = arena.world.folder / "state", arena.world.folder / "customers.jsonl"
        facts = (
            {"tenant_id": t, "customer_id": f"C-{n}", "plan": f"plan {n % 7}"} for t in TENANTS for n in range(500)
        )
        file.write_text("\n".join(map(json.dumps, facts)))
        enrich = EnrichSettings(customers_file=file)  # for the verdict's own fold
        arena.world.settings = arena.world.settings.model_copy(update={"enrich": enrich})
        worker = arena.start(ENRICH__CUSTOMERS_FILE=str(file), TEST_CUSTOMERS=str(state))
        arena.send(list(events(60, seed=rng.randrange(10**6))))
        arena.await_committed(60)
        arena.feeder.start(_arriving(rng), rate=_ARRIVING, calm=True)
        for trouble in ("down", "hangs"):
            set_state(state, trouble)
            arena.section.note(f"the directory {trouble}")
            time.sleep(4)
            require("P6", not arena.world.letters(), "good records are dead-lettered")
            before, ended = sum(arena.committed().values()), calm_clock()
            set_state(state, "")
            arena.await_all(lambda: sum(arena.committed().values()) > before, "a commit after the outage")  # noqa: B023
            resumed = calm_clock() - ended
            arena.section.found(f"resumed after it {trouble}, s", resumed, bound=5, kept=resumed <= 5)
            require("P8", resumed <= 5, f"writes resumed {resumed:.1f} s after the directory was back")
        evicted = _evictions(worker)
        arena.section.found("evicted", evicted, bound=0, kept=not evicted)
        require("P8", evicted == 0, "the worker was evicted from its group")
        arena.finish()


def _evictions(worker: WorkerProcess) -> int:
    """Number of revocations and losses of partitions, which an evicted worker counts at its next poll."""
    return int(sum(worker.metric("tickets_rebalances_total", event=event) for event in ("lost", "revoke")))


def _work_off(arena: Arena) -> None:
    """Wait until the backlog is less than a second's arrivals, and compare the rate with that of the arrivals.

    The rate is that of the best four seconds, because on a busy machine one call may time out for seconds.
    """
    seen = [(calm_clock(), sum(arena.committed().values()))]
    arena.await_caught_up(_ARRIVING, watch=lambda: seen.append((calm_clock(), sum(arena.committed().values()))))
    took, done = seen[-1][0] - seen[0][0], seen[-1][1] - seen[0][1]
    rate, least = _best_rate(seen), 2 * _ARRIVING
    if done < least:  # too little to measure a rate
        arena.section.found("worked off, records/s", "all by the first commit", bound=f"at least {least}")
        return
    arena.section.found("worked off, s", took)
    arena.section.found("worked off, records/s", round(rate), bound=f"at least {least}", kept=rate >= least)
    require("P8", rate >= least, f"{rate:.0f} records/s are worked off while {_ARRIVING}/s arrive")


def _best_rate(seen: Sequence[tuple[float, int]]) -> float:
    """The highest rate over four seconds (or all, if fewer) of (second, count) pairs."""
    window = min(_WINDOW_S, seen[-1][0] - seen[0][0])
    return max(
        (later - count) / max(then - began, _ROUND_S)
        for number, (began, count) in enumerate(seen)
        for then, later in seen[number:]
        if then - began >= window
    )
