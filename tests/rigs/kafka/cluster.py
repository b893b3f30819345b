"""Three brokers that are controllers too, replication 3, two in-sync replicas needed: each can be broken.

About 1.1 GB. A broker that died is noticed after 3 s (Kafka's own default is 9 s).
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from confluent_kafka.admin import PartitionMetadata  # type: ignore[attr-defined]  # exported, not declared

from tests.rigs.kafka.node import Node, format_all, free_port
from tests.rigs.kafka.quorum import active_controller
from tests.rigs.proxy import Proxy

NODES: Final = (1, 2, 3)
_PATIENCE_S: Final = 60.0
_CONFIG: Final[dict[str, str]] = {
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "INTERNAL",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
}


class KafkaCluster:
    """A running cluster. Nodes are named by their ids, 1 to 3.

    Attributes:
        proxies: by node, where the cluster was started with them: clients, and nobody else, go through these.
    """

    def __init__(self, nodes: dict[int, Node], controllers: dict[int, str], proxies: dict[int, Proxy]) -> None:
        self._nodes = nodes
        self._controllers = controllers
        self.proxies = proxies
        addresses = [proxies[n].address if n in proxies else node.address for n, node in nodes.items()]
        self.address = ",".join(addresses)
        self._paused: set[int] = set()

    @property
    def running(self) -> list[int]:
        """Nodes that have a process, paused ones included."""
        return [number for number, node in self._nodes.items() if node.pid is not None]

    def pid(self, node: int) -> int | None:
        """Of a node's process; None when it doesn't run."""
        return self._nodes[node].pid

    def leader(self, topic: str, partition: int = 0) -> int | None:
        """Who leads a partition, as a broker that answers says now; None while nobody does."""
        found = self._partition(topic, partition)
        return found.leader if found is not None and found.leader in self._nodes else None

    def in_sync(self, topic: str, partition: int = 0) -> list[int]:
        """A partition's in-sync replicas, as a broker that answers says now; none while nobody does."""
        found = self._partition(topic, partition)
        return sorted(found.isrs) if found is not None else []

    def controller(self) -> int:
        """The active controller; waits for an election."""
        found: list[int | None] = [None]

        def elected() -> bool:
            found[0] = active_controller({n: a for n, a in self._controllers.items() if n in self.running})
            return found[0] is not None

        wait_until(elected, lambda: f"no active controller; running: {self.running}")
        assert found[0] is not None
        return found[0]

    def is_active_controller(self, node: int) -> bool:
        """Whether this one says so of itself."""
        return active_controller({node: self._controllers[node]}) == node

    def kill(self, *nodes: int) -> None:
        """SIGKILL, one right after the other."""
        for node in nodes:
            self._nodes[node].kill()
            self._paused.discard(node)

    def terminate(self, node: int) -> None:
        """SIGTERM: it hands its leaderships over, and ends."""
        self._nodes[node].terminate()

    def restart(self, *nodes: int) -> None:
        """Start what was killed or terminated; returns when all of them answer."""
        for node in nodes:
            self._nodes[node].start()
        for node in nodes:
            self._nodes[node].wait_ready()

    def pause(self, node: int) -> None:
        """SIGSTOP: it holds its connections and answers nobody."""
        self._nodes[node].pause()
        self._paused.add(node)

    def resume(self, node: int) -> None:
        """SIGCONT."""
        self._nodes[node].resume()
        self._paused.discard(node)

    def wait_whole(self) -> None:
        """Wait until every node says that all are brokers of the cluster and every replica is in sync."""
        wait_until(self._whole, lambda: f"not whole; running: {self.running}")

    def heal(self) -> None:
        """Whatever was done to it, undo it: resume, restart, proxies too; and wait until it is whole."""
        for proxy in self.proxies.values():
            proxy.heal()
        for node in set(self._paused):
            self.resume(node)
        self.restart(*(node for node in self._nodes if node not in self.running))
        self.wait_whole()

    def _whole(self) -> bool:
        for node in self._nodes.values():
            found = node.metadata()
            if found is None or set(found.brokers) != set(self._nodes):
                return False
            partitions = [p for topic in found.topics.values() for p in topic.partitions.values()]
            if any(p.leader not in self._nodes or set(p.isrs) != set(p.replicas) for p in partitions):
                return False
        return True

    def _partition(self, topic: str, partition: int) -> PartitionMetadata | None:
        for number in self.running:
            found = self._nodes[number].metadata() if number not in self._paused else None
            if found is not None and topic in found.topics:
                return found.topics[topic].partitions.get(partition)
        return None


@contextmanager
def start_cluster(*, proxied: bool = False) -> Iterator[KafkaCluster]:
    """A cluster, whole; killed at the end. `proxied`: clients reach each broker through a proxy of its own."""
    with tempfile.TemporaryDirectory(prefix="kafka-") as name, ExitStack() as closing:
        addresses = {n: f"127.0.0.1:{free_port()}" for n in NODES}
        controllers = {n: f"127.0.0.1:{free_port()}" for n in NODES}
        proxies = {n: closing.enter_context(Proxy(addresses[n])) for n in NODES} if proxied else {}
        nodes = {}
        for n in NODES:
            advertised = proxies[n].address if proxied else addresses[n]
            config = _config(n, addresses[n], advertised, controllers)
            nodes[n] = Node(Path(name) / str(n), addresses[n], config, heap_mb=256)
            closing.callback(nodes[n].kill)
        format_all(*nodes.values())
        cluster = KafkaCluster(nodes, controllers, proxies)
        cluster.restart(*NODES)
        cluster.wait_whole()
        yield cluster


def wait_until(holds: Callable[[], bool], or_say: Callable[[], str]) -> None:
    """Wait for `holds`, a minute at most."""
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, or_say()
        time.sleep(0.1)


def _config(node: int, address: str, advertised: str, controllers: dict[int, str]) -> dict[str, str]:
    internal = f"127.0.0.1:{free_port()}"
    return {
        **_CONFIG,
        "node.id": str(node),
        "controller.quorum.voters": ",".join(f"{n}@{a}" for n, a in controllers.items()),
        "listeners": f"PLAINTEXT://{address},INTERNAL://{internal},CONTROLLER://{controllers[node]}",
        "advertised.listeners": f"PLAINTEXT://{advertised},INTERNAL://{internal}",
    }
