"""A world whose stream runs in two stages."""

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


class StagedWorld(World):
    """Four topics of its own. The group's name is the stem of both groups' names."""

    def __init__(self, brokers: str, folder: Path, *, partitions: int = 4, **more: Any) -> None:
        super().__init__(brokers, folder, partitions=partitions, **more)
        raw = self.settings.topics.raw
        topics = self.settings.topics.model_copy(
            update={"enriched": raw.replace("raw", "enriched"), "embedded": raw.replace("raw", "embedded")}
        )
        self.settings = self.settings.model_copy(update={"topics": topics})
        for topic in (topics.enriched, topics.embedded):
            self.cluster.create_topic(topic, partitions=partitions, replication=1, config={})
        self.stages: dict[str, WorkerProcess] = {}

    def environment(self, **more: str) -> dict[str, str]:
        """What a stage of this world is started with."""
        topics = self.settings.topics
        return super().environment(
            **{"TICKETS_TOPICS__ENRICHED": topics.enriched, "TICKETS_TOPICS__EMBEDDED": topics.embedded, **more}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        for worker in self.stages.values():
            worker.kill()

    def start(self, role: Role, **environment: str) -> WorkerProcess:
        """Start a role, in the place of the one that has ended."""
        self.stages[role.name] = WorkerProcess(self, command=_COMMANDS[role.name], environment=environment)
        return self.stages[role.name]

    def between(self, topic: str) -> list[Record]:
        """Every record of a topic between the stages."""
        partitions = self.cluster.topics()[topic]
        return list(read_topic(self.settings.kafka, topic, partitions=partitions))

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        """Write one record as anybody could."""
        sender = open_sender(self.settings.kafka)
        sender.send([Outgoing(topic, key, value)])
        sender.close()

    def wait_drained(self, *roles: Role) -> None:
        """Wait until these roles, or both, have committed all that is there for them; one that ends fails the test."""
        topics = self.settings.topics
        if ENRICHMENT.name in ([role.name for role in roles] or self.stages):
            self._wait(ENRICHMENT, self.produced)
        self._wait(EMBEDDING, len(self.between(topics.enriched)))

    def terminate(self) -> None:
        """SIGTERM to both; they end with 0."""
        for worker in self.stages.values():
            assert worker.terminate() == 0, worker.words()

    def _wait(self, role: Role, records: int) -> None:
        topic, group = role.reads(self.settings.topics), role.group(self.settings.kafka)

        def committed() -> int:
            return sum(lag.committed or 0 for lag in self.cluster.lag(topic, group))

        def done() -> bool:
            for worker in self.stages.values():
                worker.assert_runs()
            return committed() >= records

        wait_until(done, lambda: f"{role.name} has committed {committed()} of {records}")
