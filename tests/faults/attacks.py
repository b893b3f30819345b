"""The attacks at length. The run's sizes say how many and how long; each ends with the oracle's verdict."""

import signal
import time
from functools import partial
from itertools import cycle
from random import Random
from typing import Final

from synthetic.tickets import events
from tests.faults import kills, networks, outages
from tests.faults.arena import Arena, MakeArena
from tests.faults.choices import mixed, shuffled
from tests.faults.crowd import CAP_MIB, DRAIN_S
from tests.faults.kills import RATE, Attack
from tests.faults.oracle import require
from tests.faults.server import Server
from tests.faults.sizes import EVERY_RUN, Run
from tests.faults.tickets import ticket
from tests.rigs.qdrant_facade import Fault

# --- shutdown


def sigterm_idle(make: MakeArena, rng: Random, run: Run) -> None:
    """SIGTERM ends a worker that is waiting for records."""
    del run
    with make() as arena:
        worker = arena.start()
        arena.send(list(events(50, seed=rng.randrange(10**6))))
        arena.await_committed(50)
        arena.await_answers(1)
        _drained(arena, arena.terminate(worker))
        arena.judge()


def sigterm_twice(make: MakeArena, rng: Random, run: Run) -> None:
    """Three SIGTERMs during a drain act like one, under the product's own command."""
    del run
    with make(server=True, runner="bytewax", WRITER__MAX_BATCH_RECORDS="16") as arena:
        assert arena.server is not None
        worker = arena.start()
        arena.server.inject(Fault("slow", on="writes", seconds=0.3))
        arena.send(list(events(300, seed=rng.randrange(10**6))))
        arena.await_all(lambda: worker.metric("tickets_acked_total") > 0, "the first acks")
        for _ in range(2):
            worker.signal(signal.SIGTERM)
            time.sleep(0.05)
        _drained(arena, arena.terminate(worker))
        arena.server.heal()
        arena.start()
        arena.await_assigned(1)
        arena.finish()


def sigterm_in_an_outage(make: MakeArena, rng: Random, run: Run) -> None:
    """SIGTERM during an outage of the index: the worker exits with 0 after the drain timeout, without committing."""
    del run
    with make(server=True, WRITER__DRAIN_TIMEOUT_S="3") as arena:
        assert arena.server is not None
        worker = arena.start()
        arena.await_assigned(1)
        with arena.server.outage():
            arena.send(list(events(100, seed=rng.randrange(10**6))))
            arena.await_all(lambda: worker.metric("tickets_retries_total") > 0, "a failed write")
            _drained(arena, arena.terminate(worker))
            require("P9", not arena.committed(), "unwritten records are committed")
        arena.start()
        arena.await_assigned(1)
        arena.finish()


def sigterm_in_a_rebalance(make: MakeArena, rng: Random, run: Run) -> None:
    """SIGTERM ends a worker while another one joins."""
    del run
    with make(server=True) as arena:
        worker = arena.start()
        arena.feeder.start(mixed(rng), rate=RATE)
        arena.await_committed(100)
        joining = arena.start()
        arena.await_all(lambda: joining.metric("tickets_build_info") > 0, "the start of the second")
        time.sleep(rng.uniform(0, 0.5))
        _drained(arena, arena.terminate(worker))
        arena.finish()


def _drained(arena: Arena, seconds: float) -> None:
    arena.section.found("drain, s", seconds, bound=DRAIN_S, kept=seconds <= DRAIN_S)
    require("P9", seconds <= DRAIN_S, f"SIGTERM took {seconds:.1f} s")


# --- frozen processes and wrong clocks


def frozen_and_thawed(make: MakeArena, rng: Random, run: Run) -> None:
    """A worker frozen for twice the session timeout resumes after its partitions were reassigned."""
    del run
    with make(server=True) as arena:
        assert arena.server is not None
        arena.server.inject(Fault("slow", on="writes", seconds=0.05))
        zombie, _other = arena.start(), arena.start()
        arena.await_assigned(2)
        arena.feeder.start(mixed(rng), rate=RATE)
        arena.await_all(lambda: zombie.metric("tickets_acked_total") > 0, "work for the worker that will be frozen")
        zombie.signal(signal.SIGSTOP)
        arena.section.note("frozen")
        before = arena.committed()
        time.sleep(2 * arena.session_timeout_s)
        arena.workers.remove(zombie)  # it can't answer
        took = arena.await_moved(before)
        arena.section.found("partitions reassigned after, s", took + 2 * arena.session_timeout_s)
        zombie.signal(signal.SIGCONT)
        arena.workers.append(zombie)
        arena.section.note("thawed")
        arena.await_all(lambda: zombie.metric("tickets_rebalances_total", event="lost") > 0, "news of its loss")
        arena.await_assigned(2)
        arena.finish()


def clock_jumps(make: MakeArena, rng: Random, run: Run) -> None:
    """A worker's wall clock jumps by up to an hour at every reading; no version depends on it."""
    del run
    with make(TEST_CLOCK="3600") as arena:
        arena.start()
        arena.send(list(shuffled(events(300, seed=rng.randrange(10**6), edits=0.4, deletes=0.1), rng)))
        arena.finish()


# --- revoked partitions


def revoked_with_a_full_window(make: MakeArena, rng: Random, run: Run) -> None:
    """A worker with a full window of slow writes finishes and commits before it gives partitions away."""
    del run
    limits = {
        "WRITER__MAX_INFLIGHT_RECORDS": "64",
        "WRITER__MAX_BATCH_RECORDS": "16",
        "WRITER__MAX_CONCURRENT_BATCHES": "4",
    }
    with make(server=True, record=True, session_timeout_s=3.0, **limits) as arena:
        assert arena.server is not None
        worker = arena.start()
        arena.await_assigned(1)
        arena.server.inject(Fault("slow", on="writes", seconds=0.5))
        arena.feeder.start(events(10**7, seed=rng.randrange(10**6), edits=0.3), rate=200)
        arena.await_all(lambda: worker.metric("tickets_inflight") >= 64, "a full window")
        other = arena.start()
        arena.await_all(lambda: other.metric("tickets_build_info") > 0, "the start of the second")
        inflight = [worker.metric("tickets_inflight")]

        def given_away() -> bool:
            inflight.append(worker.metric("tickets_inflight"))
            return worker.metric("tickets_rebalances_total", event="revoke") > 0

        given = arena.await_all(given_away, "a revocation")
        arena.section.found("revoked after, s", given)
        arena.section.found("most in flight until then", max(inflight))
        require("harness", max(inflight) >= 48, f"{max(inflight):.0f} records in flight don't fill the window")
        arena.await_assigned(2)
        arena.server.heal()
        arena.finish()
        again, records = arena.duplicates()
        arena.section.found("done twice", f"{again} of {records}", bound=0, kept=not again)
        require("P10", again == 0, f"{again} of {records} records were done twice")


# --- a broken index


def index_out_beyond_the_poll_interval(make: MakeArena, rng: Random, run: Run) -> None:
    """The index is out for longer than the poll interval; the worker keeps polling and stays in its group."""
    outages.out_of_the_index(make, rng, max_poll_s=run.sizes.max_poll_s, outage_s=_outage_s(run))


def index_silent_beyond_the_poll_interval(make: MakeArena, rng: Random, run: Run) -> None:
    """The index doesn't answer for longer than the poll interval, so that calls end by their timeouts."""
    outages.out_of_the_index(
        make, rng, max_poll_s=run.sizes.max_poll_s, outage_s=_outage_s(run), how="silent", INDEX__TIMEOUT_S="2"
    )


def _outage_s(run: Run) -> int:
    return run.at_most(run.sizes.outage_s, EVERY_RUN.outage_s)


_SERVER_FAULTS: Final = (
    Fault("down"),
    Fault("slow", on="writes", seconds=0.5),
    Fault("hang", on="writes", times=2),
    Fault("reset", share=0.3),
    Fault("error", code="RESOURCE_EXHAUSTED", retry_after_s=1, on="writes", times=3),
    Fault("error", code="INTERNAL", share=0.5),
    Fault("response_lost", share=0.5),
    Fault("applied_late", seconds=0.7, share=0.5),
    Fault("partly_applied", share=0.5),
    Fault("wait_timeout", seconds=0.5, share=0.5),
)


def server_faults_in_turn(make: MakeArena, rng: Random, run: Run) -> None:
    """Each fault of a server lasts for at least 1.5 s, under load and searches."""
    with make(server=True, INDEX__TIMEOUT_S="1", WRITER__MAX_BATCH_RECORDS="32") as arena:
        assert arena.server is not None
        arena.start()
        arena.feeder.start(mixed(rng), rate=RATE)
        arena.await_committed(100)
        for fault in _SERVER_FAULTS:
            seen = arena.server.counts().faults.get(fault.what, 0)
            arena.section.note(fault.what)
            arena.server.inject(fault)
            time.sleep(1.5)
            met = partial(_met, arena.server, fault, seen)
            arena.await_all(met, f"a call that meets {fault.what}", promise="harness")
            arena.server.heal()
            arena.await_moved(arena.committed())
            run.say(f"the server survived {fault.what}")
        arena.finish()


def _met(server: Server, fault: Fault, seen: int) -> bool:
    return server.counts().faults.get(fault.what, 0) > seen


# --- overload


def overload(make: MakeArena, rng: Random, run: Run) -> None:
    """Records arrive ten times as fast as the index can take them; memory stays level and below the cap."""
    settings = {
        "WRITER__MAX_INFLIGHT_RECORDS": "256",
        "WRITER__MAX_INFLIGHT_BYTES": str(4 * 1024 * 1024),
        "KAFKA__PREFETCH_KIB": "4096",
        "WRITER__MAX_BATCH_RECORDS": "8",
        "WRITER__MAX_CONCURRENT_BATCHES": "2",
    }
    with make(server=True, watched=False, session_timeout_s=6.0, **settings) as arena:
        assert arena.server is not None
        worker = arena.start()
        arena.await_assigned(1)
        arena.server.inject(Fault("slow", on="writes", seconds=4.0))  # 4 a second
        fillers = cycle(["long " * 600, "short", "of some length " * 100, "short"])
        numbers = iter(range(10**9))
        many = (ticket(f"o{n % 5_000}", 1 + n // 5_000, body=body) for n, body in zip(numbers, fillers, strict=False))
        arena.feeder.start(many, rate=40)  # a higher rate shows nothing new, and the verdict of a soak takes time
        peaks = _peaks_mib(arena, seconds=run.at_most(run.sizes.overload_s, EVERY_RUN.overload_s))
        inflight = worker.metric("tickets_inflight")
        require(
            "harness", inflight >= 16, f"{inflight:.0f} records in flight are no overload"
        )  # of the 24 of three batches
        arena.feeder.stop()
        most, growth = max(peaks), peaks[-1] - peaks[len(peaks) // 2]
        arena.section.found("peak memory, MiB", round(most), bound=CAP_MIB, kept=most <= CAP_MIB)
        arena.section.found("growth in the second half, MiB", round(growth), bound=40, kept=growth <= 40)
        require("P7", most <= CAP_MIB, f"{most:.0f} MiB")
        require("P7", growth <= 40, f"memory grows: {growth:.0f} MiB in the second half")
        arena.server.heal()
        arena.finish()
    del rng


def _peaks_mib(arena: Arena, *, seconds: int) -> list[float]:
    """The worker's memory high-water marks in MiB, taken every half second."""
    found = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found.append(arena.record_peak_memory(arena.workers[0]))
        time.sleep(0.5)
    return found


ATTACKS: Final[dict[str, Attack]] = {
    attack.__name__: attack
    for attack in (  # the longest first; busy attacks alternate with waiting ones
        overload,
        index_out_beyond_the_poll_interval,
        kills.killed_at_each_failpoint,
        kills.killed_beside_another,
        kills.killed_with_the_index_inside,
        kills.killed_in_the_plain_loop,
        index_silent_beyond_the_poll_interval,
        server_faults_in_turn,
        networks.network_to_the_broker,
        networks.network_to_the_index,
        frozen_and_thawed,
        revoked_with_a_full_window,
        sigterm_in_an_outage,
        sigterm_twice,
        sigterm_idle,
        clock_jumps,
    )
}
