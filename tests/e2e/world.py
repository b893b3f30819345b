"""A test's stream: topics, workers as processes, and the expected contents of the index."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self
from uuid import uuid4

from prometheus_client.parser import text_string_to_metric_families

from connectors.kafka.admin import open_cluster
from connectors.kafka.producer import Outgoing, open_sender
from connectors.kafka.reader import read_topic
from connectors.kafka.topics import create_topics, load_topics
from connectors.qdrant.open import open_index_for_writing
from core.errors import UnavailableError
from core.model_settings import ModelSettings
from core.records import Batch, Record, Rejected, TicketPoints
from core.settings import ContractSettings, IndexSettings, KafkaSettings, Settings
from core.topic_settings import TopicSettings
from models.open import load_embedder
from stream.plan import ticket_steps
from stream.steps import run_step
from stream.telemetry import StreamTelemetry
from synthetic.tickets import SyntheticRecord
from tests.contracts.digest import contents
from tests.oracle import winners
from tests.rigs.waiting import PATIENCE_S, wait_until

Runner = Literal["bytewax", "plain"]

#: Commands that start a worker; both runners keep the same guarantees.
COMMANDS: Final[dict[Runner, list[str]]] = {
    "bytewax": [sys.executable, "-m", "bytewax.run", "dataflows.tickets"],
    "plain": [sys.executable, "-m", "tests.e2e.plain_loop"],
}
_LISTENS: Final = re.compile(r"health and metrics on http://[^ ]+:(\d+)")
#: Smaller than the broker's limit, so that an oversized record can be written at all.
_MAX_RECORD_BYTES: Final = 200_000


class World:
    """Topics and a group with unique names on `brokers`, and an index folder below `folder`."""

    def __init__(
        self,
        brokers: str,
        folder: Path,
        *,
        partitions: int = 4,
        replication: int = 1,
        session_timeout_s: float = 6,
        declared: bool = False,
    ) -> None:
        """`declared`: create the topics of topics.yaml, under unique names."""
        name = uuid4().hex[:8]
        self.folder = folder
        self.settings = Settings(
            kafka=KafkaSettings(brokers=brokers, group=f"group-{name}", session_timeout_s=session_timeout_s),
            topics=TopicSettings(**{role: f"{role}-{name}" for role in TopicSettings.model_fields}),
            index=IndexSettings(path=folder / "index"),
            model=ModelSettings(name="hashing"),
            contract=ContractSettings(max_record_bytes=_MAX_RECORD_BYTES),
        )
        self.produced = 0
        self.cluster = open_cluster(self.settings.kafka)
        if declared:
            create_topics(self.settings, load_topics(None, names=self.settings.topics))
            return
        for topic, count in ((self.settings.topics.raw, partitions), (self.settings.topics.dlq, 1)):
            self.cluster.create_topic(topic, partitions=count, replication=replication, config={})

    def environment(self, **more: str) -> dict[str, str]:
        """Environment of a worker."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TICKETS_")}
        return clean | {
            "TICKETS_KAFKA__BROKERS": self.settings.kafka.brokers,
            "TICKETS_KAFKA__GROUP": self.settings.kafka.group,
            "TICKETS_KAFKA__SESSION_TIMEOUT_S": str(self.settings.kafka.session_timeout_s),
            "TICKETS_TOPICS__RAW": self.settings.topics.raw,
            "TICKETS_TOPICS__ENRICHED": self.settings.topics.enriched,
            "TICKETS_TOPICS__EMBEDDED": self.settings.topics.embedded,
            "TICKETS_TOPICS__DLQ": self.settings.topics.dlq,
            "TICKETS_TOPICS__FEEDBACK": self.settings.topics.feedback,
            "TICKETS_INDEX__PATH": str(self.settings.index.path),
            "TICKETS_MODEL__NAME": "hashing",
            "TICKETS_HEALTH__PORT": "0",
            "TICKETS_CONTRACT__MAX_RECORD_BYTES": str(_MAX_RECORD_BYTES),
            **more,
        }

    def produce(self, records: Iterable[SyntheticRecord]) -> None:
        """Write `records` to the raw topic."""
        sender = open_sender(self.settings.kafka)
        outgoing = [Outgoing(self.settings.topics.raw, r.key, r.value, r.headers) for r in records]
        sender.send(outgoing)
        sender.close()
        self.produced += len(outgoing)

    def committed(self) -> int:
        """Number of records that the group has committed, over all partitions."""
        lags = self.cluster.lag(self.settings.topics.raw, self.settings.kafka.group)
        return sum(lag.committed or 0 for lag in lags)

    def wait_committed(self, workers: Sequence["WorkerProcess"]) -> None:
        """Wait until everything produced is committed; fail if a worker ends."""

        counted = 0

        def done() -> bool:
            nonlocal counted
            for worker in workers:
                worker.assert_runs()
            try:
                counted = self.committed()
            except UnavailableError:  # a new group has no coordinator yet
                return False
            return counted == self.produced

        wait_until(done, lambda: f"{counted} of {self.produced} records committed", every_s=0.1)

    def log(self) -> list[Record]:
        """The raw topic, read back with its offsets."""
        return list(read_topic(self.settings.kafka, self.settings.topics.raw, partitions=self._partitions("raw")))

    def letters(self) -> list[Record]:
        """The dead-letter topic."""
        return list(read_topic(self.settings.kafka, self.settings.topics.dlq, partitions=self._partitions("dlq")))

    def held(self) -> dict[tuple[str, str], tuple[int, bool]]:
        """Version of each ticket in the embedded index, and whether it is deleted."""
        embedder = load_embedder(self.settings.model)
        index = open_index_for_writing(self.settings.index, dimension=embedder.dimension, model=embedder.stamp)
        try:
            return {(t.tenant_id, t.ticket_id): (t.version, t.deleted) for t in index.tickets()}
        finally:
            index.close()

    def folded(self, log: Sequence[Record]) -> dict[str, Any]:
        """Contents of an index after only the winning record of each ticket was written."""
        embedder = load_embedder(self.settings.model)
        path = self.folder / f"folded-{uuid4().hex[:8]}"
        index = open_index_for_writing(IndexSettings(path=path), dimension=embedder.dimension, model=embedder.stamp)
        index.write(self.points(winners(log)))
        found = contents(index)
        index.close()
        return found

    def points(self, records: Sequence[Record]) -> tuple[TicketPoints, ...]:
        """The points of valid `records`."""
        batch: Batch = Batch(tuple(records))  # type: ignore[type-arg]  # records first, points last
        for step in ticket_steps(self.settings, load_embedder(self.settings.model)):
            batch = run_step(step, batch, StreamTelemetry())
        assert not any(isinstance(item, Rejected) for item in batch.items)
        return batch.items

    def _partitions(self, role: Literal["raw", "dlq"]) -> int:
        return self.cluster.topics()[getattr(self.settings.topics, role)]


class WorkerProcess:
    """A worker of a world; the process starts in the constructor."""

    def __init__(
        self,
        world: World,
        runner: Runner = "bytewax",
        *,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = (),
    ) -> None:
        """`command` overrides the runner's command."""
        self._environment = world.environment(**(environment or {}))
        self._port = self._environment["TICKETS_HEALTH__PORT"]
        self._log = world.folder / f"worker-{uuid4().hex[:8]}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command or COMMANDS[runner],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                umask=0o022,  # the usual umask: a process that has opened an index has a stricter one
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.kill()

    @property
    def port(self) -> str:
        """Port of health and metrics; 0 until the worker listens on one."""
        if self._port == "0" and (said := _LISTENS.search(self.output())) is not None:
            self._port = said[1]
        return self._port

    def await_port(self) -> str:
        """Wait until the worker listens, and return the port of health and metrics."""
        wait_until(lambda: self.port != "0", self.output)
        return self.port

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def assert_runs(self) -> None:
        """Fail with the worker's output if it has ended."""
        assert self._process.poll() is None, self.output()

    def output(self) -> str:
        """Standard output and error so far."""
        return self._log.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal without waiting."""
        self._process.send_signal(number)

    def terminate(self, patience_s: float = PATIENCE_S) -> int:
        """Send SIGTERM and return the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(patience_s)

    def wait(self, patience_s: float = PATIENCE_S) -> int:
        """Wait for the worker's end and return its exit code; negative: the signal that killed it."""
        return self._process.wait(patience_s)

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def ready(self) -> tuple[bool, str]:
        """Whether /ready answers 200, with its warning or reason; False and "" if the port isn't open yet."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=PATIENCE_S) as response:
                return True, json.loads(response.read()).get("warning", "")
        except urllib.error.HTTPError as error:
            return False, json.loads(error.read())["reason"]
        except OSError:
            return False, ""

    def metric(self, name: str, **labels: str) -> float:
        """Sum of the samples of `name` with `labels` on /metrics; 0 if the port isn't open yet."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as response:
                text = response.read().decode()
        except OSError:
            return 0.0
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


def assert_same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Assert equal contents; the message shows only the first differences, as a diff of all takes minutes."""
    wrong = [point for point in {**found, **wanted} if found.get(point) != wanted.get(point)]
    some = [(point, found.get(point), wanted.get(point)) for point in wrong[:3]]
    assert not wrong, f"{len(wrong)} points differ; found and wanted of some: {some}"
