"""A world with a split stream."""

import sys
from pathlib import Path
from typing import Any, Final, Self

from connectors.kafka.producer import Outgoing, open_sender
from connectors.kafka.reader import read_topic
from core.records import Record
from stream.roles import EMBEDDING, ENRICHMENT, Role
from tests.e2e.world import WorkerProcess, World
from tests.rigs.waiting import wait_until

_COMMANDS: Final = {
    role.name: [sys.executable, "-m", "bytewax.run", f"dataflows.{role.name}"] for role in (ENRICHMENT, EMBEDDING)
}


class SplitWorld(World):
    """Four topics, and processes of the two roles. Each role appends its name to the group's."""

    def __init__(self, brokers: str, folder: Path, *, partitions: int = 4, **more: Any) -> None:
        super().__init__(brokers, folder, partitions=partitions, **more)
        raw = self.settings.topics.raw
        topics = self.settings.topics.model_copy(
            update={"enriched": raw.replace("raw", "enriched"), "embedded": raw.replace("raw", "embedded")}
        )
        self.settings = self.settings.model_copy(update={"topics": topics})
        for topic in (topics.enriched, topics.embedded):
            self.cluster.create_topic(topic, partitions=partitions, replication=1, config={})
        self.roles: dict[str, WorkerProcess] = {}

    def environment(self, **more: str) -> dict[str, str]:
        """Environment of a role's process."""
        topics = self.settings.topics
        return super().environment(
            **{"TICKETS_TOPICS__ENRICHED": topics.enriched, "TICKETS_TOPICS__EMBEDDED": topics.embedded, **more}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        for worker in self.roles.values():
            worker.kill()

    def start(self, role: Role, **environment: str) -> WorkerProcess:
        """Start a role's process, which replaces one that has ended."""
        self.roles[role.name] = WorkerProcess(self, command=_COMMANDS[role.name], environment=environment)
        return self.roles[role.name]

    def between(self, topic: str) -> list[Record]:
        """Every record of a topic between the roles."""
        partitions = self.cluster.topics()[topic]
        return list(read_topic(self.settings.kafka, topic, partitions=partitions))

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        """Write a record directly to a topic."""
        sender = open_sender(self.settings.kafka)
        sender.send([Outgoing(topic, key, value)])
        sender.close()

    def wait_drained(self, *roles: Role) -> None:
        """Wait until these roles, or all, have committed all their records; fail if a process ends."""
        topics = self.settings.topics
        if ENRICHMENT.name in ([role.name for role in roles] or self.roles):
            self._wait(ENRICHMENT, self.produced)
        self._wait(EMBEDDING, len(self.between(topics.enriched)))

    def terminate(self) -> None:
        """Terminate both roles; each must exit with 0."""
        for worker in self.roles.values():
            assert worker.terminate() == 0, worker.output()

    def _wait(self, role: Role, records: int) -> None:
        topic, group = role.reads(self.settings.topics), role.group(self.settings.kafka)

        def committed() -> int:
            return sum(lag.committed or 0 for lag in self.cluster.lag(topic, group))

        def done() -> bool:
            for worker in self.roles.values():
                worker.assert_runs()
            return committed() >= records

        wait_until(done, lambda: f"{role.name} has committed {committed()} of {records}")
