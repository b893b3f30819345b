"""The brokers of the kill tests, and their faults."""

import itertools
from collections.abc import Callable
from random import Random
from typing import Protocol

from tests.rigs.kafka import KafkaCluster
from tests.rigs.proxy import Proxy
from tests.rigs.waiting import wait_until


class Broker(Protocol):
    """A broker, or a cluster of them."""

    @property
    def address(self) -> str:
        """The address for clients."""
        ...

    def fail(self) -> str:
        """Inject the next fault until `heal`; return its name."""
        ...

    def hold(self) -> None:
        """Keep connections open without answering, until `heal`."""
        ...

    def heal(self) -> None:
        """Undo all faults."""
        ...


class OneBroker:
    """The local broker behind a proxy."""

    def __init__(self, proxy: Proxy, rng: Random) -> None:
        self._proxy = proxy
        self._rng = rng

    @property
    def address(self) -> str:
        """See `Broker`."""
        return self._proxy.address

    def fail(self) -> str:
        """See `Broker`."""
        self._rng.choice([self._proxy.refuse, self._proxy.half_open])()
        return "cut off"

    def hold(self) -> None:
        """See `Broker`."""
        self._proxy.half_open()

    def heal(self) -> None:
        """See `Broker`."""
        self._proxy.heal()


class Cluster:
    """Three Apache Kafka brokers, each behind a proxy. Faults kill the leader or two brokers, or cut off all three."""

    def __init__(self, cluster: KafkaCluster, topic: str) -> None:
        self._cluster = cluster
        self._topic = topic
        ways: list[tuple[str, Callable[[], None]]] = [
            ("the leader killed", self._kill_leader),
            ("all cut off", self.hold),
            ("two killed", self._kill_two),
            ("all refuse", self._refuse),
        ]
        self._ways = itertools.cycle(ways)

    @property
    def address(self) -> str:
        """See `Broker`."""
        return self._cluster.proxied

    def fail(self) -> str:
        """See `Broker`."""
        name, way = next(self._ways)
        way()
        return name

    def hold(self) -> None:
        """See `Broker`."""
        for proxy in self._cluster.proxies.values():
            proxy.half_open()

    def heal(self) -> None:
        """See `Broker`."""
        self._cluster.heal()

    def _leader(self) -> int:
        wait_until(lambda: self._cluster.leader(self._topic) is not None, every_s=0.1)
        leader = self._cluster.leader(self._topic)
        assert leader is not None
        return leader

    def _kill_leader(self) -> None:
        self._cluster.kill(self._leader())

    def _kill_two(self) -> None:
        leader = self._leader()
        self._cluster.kill(leader, next(node for node in self._cluster.running if node != leader))

    def _refuse(self) -> None:
        for proxy in self._cluster.proxies.values():
            proxy.refuse()
