"""The network between a worker and its index, or its broker, fails."""

import time
from collections.abc import Callable
from random import Random
from typing import Final

from tests.faults.arena import Arena, MakeArena
from tests.faults.choices import mixed
from tests.faults.kills import RATE
from tests.faults.oracle import require
from tests.faults.sizes import Run
from tests.rigs.calm import calm_clock
from tests.rigs.proxy import Proxy
from tests.rigs.tansu import start_proxied

_TIMEOUT_S: Final = 1

#: Ways in which a network fails until it is healed, by name.
_TROUBLES: Final[dict[str, Callable[[Proxy], object]]] = {
    "half-open": Proxy.half_open,
    "requests don't arrive": lambda network: network.cut("to_server"),
    "answers don't arrive": lambda network: network.cut("to_client"),
    "connections are reset": Proxy.reset,
    "the port is closed": Proxy.refuse,
}


def network_to_the_index(make: MakeArena, rng: Random, run: Run) -> None:
    """Calls to the index, or their answers, are lost on the way; each call is retried."""
    del run
    with make(holding=True, INDEX__TIMEOUT_S=str(_TIMEOUT_S), WRITER__MAX_BATCH_RECORDS="32") as arena:
        assert arena.holding is not None
        worker = arena.start()
        arena.feeder.start(mixed(rng), rate=RATE)
        arena.await_committed(100)
        for name, trouble in _TROUBLES.items():
            retries = worker.metric("tickets_retries_total", dependency="index")

            def met(name: str = name, retries: float = retries) -> bool:
                retried = worker.metric("tickets_retries_total", dependency="index") > retries
                return retried or name == "connections are reset"  # a slow write may still succeed

            _trouble(arena, arena.holding.network, name, trouble, seconds=2.5 * _TIMEOUT_S, met=met)
        arena.finish()


def network_to_the_broker(make: MakeArena, rng: Random, run: Run) -> None:
    """The network to the broker fails for longer than the session timeout; the worker rejoins its group."""
    del run
    with start_proxied() as (broker, network), make(brokers=broker) as arena:
        worker = arena.start()
        arena.feeder.start(mixed(rng), rate=RATE)
        arena.await_committed(100)
        for name, trouble in _TROUBLES.items():
            _trouble(arena, network, name, trouble, seconds=3 * arena.session_timeout_s)
        lost = worker.metric("tickets_rebalances_total", event="lost")
        arena.section.found("times out of the group", int(lost))
        require("harness", lost > 0, "the worker was never cut off for long enough to lose its partitions")
        # All clients use the broken network. The embedded broker, which runs in memory, at times loses a record that
        # it acknowledged over a connection that broke. test_kafka.py holds Apache Kafka to its acknowledgements.
        arena.finish(broker_may_lose=True)


def _trouble(
    arena: Arena,
    network: Proxy,
    name: str,
    trouble: Callable[[Proxy], object],
    *,
    seconds: float,
    met: Callable[[], bool] = lambda: True,
) -> None:
    """Break the network for `seconds` and until `met`, then heal it and wait until the stream goes on."""
    trouble(network)
    arena.section.note(name)
    time.sleep(seconds)
    arena.await_all(met, f"a write that meets this: {name}", promise="harness")
    network.heal()
    healed = calm_clock()
    arena.await_moved(arena.committed())
    arena.section.found(f"goes on after {name}, s", calm_clock() - healed)
