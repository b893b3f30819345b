"""A cluster of three Kafka nodes, configured as shipped for MSK, whose nodes can be killed and paused.

Every node is a broker and a controller. The cluster takes about 1.1 GB. A dead broker is detected after 3 s (Kafka's
default is 9 s).
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported, not declared
    AdminClient,
    NewTopic,
    PartitionMetadata,
)

from local.ports import free_port
from tests.rigs.kafka.archive import quick_java
from tests.rigs.kafka.node import Node, format_all
from tests.rigs.kafka.quorum import active_controller
from tests.rigs.kafka.secured import LISTENERS, USERS, Secrets
from tests.rigs.kafka.shipped import shipped_properties
from tests.rigs.proxy import Proxy
from tests.rigs.waiting import PATIENCE_S, wait_until

NODES: Final = (1, 2, 3)
#: PLAINTEXT and PROXIED are for tests, INTERNAL for the brokers.
_PROTOCOLS: Final = {"PLAINTEXT": "PLAINTEXT", "PROXIED": "PLAINTEXT", "INTERNAL": "PLAINTEXT", **LISTENERS}
_CONFIG: Final[dict[str, str]] = {
    "listener.security.protocol.map": ",".join(f"{n}:{p}" for n, p in _PROTOCOLS.items()) + ",CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "INTERNAL",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
}
_AS_SHIPPED: Final[Mapping[str, str]] = {}


class KafkaCluster:
    """A running cluster. Nodes are named by their ids, 1 to 3.

    Attributes:
        address: listeners without authentication, whose clients may do everything.
        proxied: the same through `proxies`, one in front of each broker; brokers connect to each other directly.
        secrets: certificates and settings for clients of the other listeners.
    """

    def __init__(
        self,
        nodes: dict[int, Node],
        listeners: dict[int, dict[str, str]],
        controllers: dict[int, str],
        proxies: dict[int, Proxy],
        secrets: Secrets,
    ) -> None:
        self._nodes = nodes
        self._listeners = listeners
        self._controllers = controllers
        self.proxies = proxies
        self.secrets = secrets
        self.address = self.listener("PLAINTEXT")
        self.proxied = ",".join(proxy.address for proxy in proxies.values())
        self._paused: set[int] = set()

    def listener(self, name: str) -> str:
        """Addresses of every node's listener of this name."""
        return ",".join(listeners[name] for listeners in self._listeners.values())

    @property
    def running(self) -> list[int]:
        """Nodes that have a process, paused ones included."""
        return [number for number, node in self._nodes.items() if node.pid is not None]

    def pid(self, node: int) -> int | None:
        """Process id of a node, or None if it doesn't run."""
        return self._nodes[node].pid

    def leader(self, topic: str, partition: int = 0) -> int | None:
        """The partition's leader by the current metadata, or None if there is none."""
        found = self._partition(topic, partition)
        return found.leader if found is not None and found.leader in self._nodes else None

    def in_sync(self, topic: str, partition: int = 0) -> list[int]:
        """The partition's in-sync replicas by the current metadata; empty if no broker answers."""
        found = self._partition(topic, partition)
        return sorted(found.isrs) if found is not None else []

    def controller(self) -> int:
        """Wait for an active controller and return its node id."""
        found: list[int | None] = [None]

        def elected() -> bool:
            found[0] = active_controller({n: a for n, a in self._controllers.items() if n in self.running})
            return found[0] is not None

        wait_until(elected, lambda: f"no active controller; running: {self.running}", every_s=0.1)
        assert found[0] is not None
        return found[0]

    def is_active_controller(self, node: int) -> bool:
        """Whether this node reports that it is the active controller."""
        return active_controller({node: self._controllers[node]}) == node

    def kill(self, *nodes: int) -> None:
        """Send SIGKILL to the nodes, one right after the other."""
        for node in nodes:
            self._nodes[node].kill()
            self._paused.discard(node)

    def terminate(self, node: int) -> None:
        """Send SIGTERM and wait for the exit; the node transfers its leaderships first."""
        self._nodes[node].terminate()

    def restart(self, *nodes: int) -> None:
        """Start nodes that were killed or terminated, and wait until all of them answer."""
        for node in nodes:
            self._nodes[node].start()
        for node in nodes:
            self._nodes[node].wait_ready()

    def pause(self, node: int) -> None:
        """Send SIGSTOP: the node keeps its connections and answers nothing."""
        self._nodes[node].pause()
        self._paused.add(node)

    def resume(self, node: int) -> None:
        """Send SIGCONT."""
        self._nodes[node].resume()
        self._paused.discard(node)

    def wait_whole(self) -> None:
        """Wait until every node lists all nodes as brokers and every replica as in sync."""
        wait_until(self._whole, lambda: f"not whole; running: {self.running}", every_s=0.1)

    def wait_metadata(self) -> None:
        """Wait until every node has applied the controller's metadata so far: topics, ACLs and settings.

        Metadata is applied in order, so a node that lists a topic created now has applied everything earlier.
        """
        last = f"last-{uuid4().hex[:8]}"
        admin = AdminClient({"bootstrap.servers": self.address})
        admin.create_topics([NewTopic(last, num_partitions=1)])[last].result(PATIENCE_S)
        wait_until(lambda: self._whole(last), lambda: f"not all know {last}; running: {self.running}", every_s=0.1)

    def heal(self) -> None:
        """Undo all faults: heal the proxies, resume and restart nodes, and wait until every replica is in sync."""
        for proxy in self.proxies.values():
            proxy.heal()
        for node in set(self._paused):
            self.resume(node)
        self.restart(*(node for node in self._nodes if node not in self.running))
        self.wait_whole()

    def _whole(self, *topics: str) -> bool:
        for node in self._nodes.values():
            found = node.metadata()
            if found is None or set(found.brokers) != set(self._nodes) or not found.topics.keys() >= set(topics):
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
def start_cluster(
    numbers: Sequence[int] = NODES, *, changes: Mapping[str, str] = _AS_SHIPPED
) -> Iterator[KafkaCluster]:
    """Start a cluster with these node ids and yield it, in sync. `changes` override the shipped properties."""
    java = quick_java(256)
    with tempfile.TemporaryDirectory(prefix="kafka-") as name, ExitStack() as closing:
        secrets = Secrets(Path(name) / "secrets")
        listeners = {n: {listener: f"127.0.0.1:{free_port()}" for listener in _PROTOCOLS} for n in numbers}
        controllers = {n: f"127.0.0.1:{free_port()}" for n in numbers}
        proxies = {n: closing.enter_context(Proxy(listeners[n]["PROXIED"])) for n in numbers}
        nodes = {}
        for n in numbers:
            advertised = listeners[n] | {"PROXIED": proxies[n].address}
            config = {
                **_CONFIG,
                **secrets.broker_config(),
                **shipped_properties(),
                **changes,
                **_addresses(n, listeners[n], advertised, controllers),
            }
            nodes[n] = Node(Path(name) / str(n), listeners[n]["PLAINTEXT"], config, java=java, users=USERS)
            closing.callback(nodes[n].kill)
        format_all(*nodes.values())
        cluster = KafkaCluster(nodes, listeners, controllers, proxies, secrets)
        cluster.restart(*numbers)
        cluster.wait_whole()
        yield cluster


def _addresses(
    node: int, listeners: dict[str, str], advertised: dict[str, str], controllers: dict[int, str]
) -> dict[str, str]:
    def named(addresses: dict[str, str]) -> str:
        return ",".join(f"{name}://{address}" for name, address in addresses.items())

    return {
        "node.id": str(node),
        "controller.quorum.voters": ",".join(f"{n}@{a}" for n, a in controllers.items()),
        "listeners": named({**listeners, "CONTROLLER": controllers[node]}),
        "advertised.listeners": named(advertised),
    }
