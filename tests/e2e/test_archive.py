"""The archiver as a process on real brokers: killed at each failpoint, and an index that is rebuilt from its files."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, get_args

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from archive.generation import Generation, find_generations
from archive.verification import verify
from connectors.archive_store.folder import FolderArchive
from connectors.qdrant.open import open_index_for_writing
from core.archive_settings import ArchiveSettings
from core.errors import ConfigError
from core.failpoints import VARIABLE, ArchivePoint
from core.records import Record
from core.telemetry_settings import HealthSettings
from maintenance.archived_log import open_archived_log
from models.open import load_embedder
from stream.archiving import run_archiver
from synthetic.tickets import events
from tests.contracts.digest import contents
from tests.e2e.terminal import TICKETSTREAM, Terminal
from tests.e2e.world import WorkerProcess, World, assert_same
from tests.rigs.kafka.single import Kafka
from tests.rigs.waiting import PATIENCE_S, wait_until

_numbers = count()


class _Archive:
    """A world's archive in a folder."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = FolderArchive(world.folder / "archive")
        self.environment = {
            "TICKETS_ARCHIVE__PLACE": str(world.folder / "archive"),
            "TICKETS_ARCHIVE__FILE_AGE_S": "0.2",
        }
        self.terminal = Terminal(world, **self.environment)
        self.settings = world.settings.model_copy(
            update={
                "archive": ArchiveSettings(place=str(world.folder / "archive"), file_age_s=0.2),
                "health": HealthSettings(port=0),
            }
        )

    @contextmanager
    def process(self, **more: str) -> Iterator[WorkerProcess]:
        """An archiver as a process."""
        command = [TICKETSTREAM, "archive", "run"]
        with WorkerProcess(self.world, command=command, environment=self.environment | more) as process:
            yield process

    @contextmanager
    def thread(self) -> Iterator[None]:
        """An archiver as a thread, which takes less time to start. It ends without an error."""
        stop = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(run_archiver, self.settings, stop)
            try:
                yield
            finally:
                stop.set()
                running.result()

    def fill(self) -> None:
        """Archive all that the topic has, and stop."""
        with self.thread():
            self.wait_for(self.world.produced)

    def wait_for(self, records: int) -> None:
        wait_until(lambda: len(self.records()) >= records, lambda: f"{len(self.records())} of {records}", every_s=0.3)

    def faults(self) -> list[str]:
        """The faults that `verify` finds in all generations."""
        generations = find_generations(self.store, self.world.settings.topics.raw)
        return [fault for one in generations for number in one.partitions() for fault in verify(one, number)]

    def generation(self) -> Generation:
        (topic,) = self.store.folders("")
        (name,) = self.store.folders(topic)
        return Generation(self.store, f"{topic}/{name}")

    def records(self) -> list[Record]:
        if not self.store.folders(""):
            return []
        generation = self.generation()
        partitions = generation.partitions()
        return [r for n in partitions for r in generation.records(n, generation.held(n).entries)]


def _produce(world: World, number: int) -> None:
    """Records of every shape: text, other bytes, tombstones, headers with and without values."""
    producer = Producer({"bootstrap.servers": world.settings.kafka.brokers})
    for _ in range(number):
        n = next(_numbers)
        value = (b'{"n": 1}', b"\xff\x00\xfe", None, b"")[n % 4]
        headers = [("trace", b"\xff"), ("trace", None), ("empty", b"")] if n % 3 else []
        producer.produce(world.settings.topics.raw, value, f"k-{n}".encode(), headers=headers)  # type: ignore[arg-type]
    assert producer.flush(PATIENCE_S) == 0
    world.produced += number


def test_a_kill_between_write_and_commit_loses_and_doubles_nothing(tansu: str, tmp_path: Path) -> None:
    """Killed with a file complete, stored, listed and committed, each record is archived once, byte for byte."""
    world = World(tansu, tmp_path, partitions=2, session_timeout_s=1)
    archive = _Archive(world)
    for point in get_args(ArchivePoint):
        _produce(world, 20)
        with archive.process(**{VARIABLE: f"{point}=kill@2"}) as archiver:
            assert archiver.wait() == -9, archiver.output()
    _produce(world, 20)
    archive.fill()
    assert archive.records() == _sorted(world.log())
    assert archive.faults() == []
    lags = world.cluster.lag(world.settings.topics.raw, f"{world.settings.kafka.group}-archive")
    assert sum(lag.committed or 0 for lag in lags) == 100


def _sorted(records: list[Record]) -> list[Record]:
    return sorted(records, key=lambda record: (record.origin.partition, record.origin.offset))


def _rebuilt(archive: _Archive, source: str, *options: str) -> dict[str, Any]:
    """Contents of an index that is rebuilt from a source."""
    folder = archive.world.folder / f"index-{next(_numbers)}"
    place = {"TICKETS_INDEX__PATH": str(folder)}
    Terminal(archive.world, **archive.environment, **place).run("rebuild", "--from", source, *options)
    embedder = load_embedder(archive.world.settings.model)
    settings = archive.world.settings.index.model_copy(update={"path": folder})
    with closing(open_index_for_writing(settings, dimension=embedder.dimension, model=embedder.stamp)) as index:
        return contents(index)


def test_an_index_is_rebuilt_from_the_archive(apache_kafka: Kafka, tmp_path: Path) -> None:
    """The archive and the rest of the topic give the index that the whole topic gave, after that lost its beginning."""
    world = World(apache_kafka.address, tmp_path, partitions=2)
    archive, everything = _Archive(world), list(events(120, seed=7))
    world.produce(everything[:100])
    archive.fill()
    world.produce(everything[100:])
    wanted = _rebuilt(archive, "raw")
    assert wanted
    generation = archive.generation()
    topic, admin = world.settings.topics.raw, AdminClient({"bootstrap.servers": apache_kafka.address})
    trimmed = [TopicPartition(topic, number, generation.held(number).next) for number in generation.partitions()]
    for answer in admin.delete_records(trimmed).values():
        answer.result(30)
    assert_same(_rebuilt(archive, "archive"), wanted)

    file = min(tmp_path.glob("archive/*/*/00000/data/*"))
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert f"{file} is damaged" in archive.terminal.failure("rebuild", "--from", "archive", code=1)
    (fault,) = archive.faults()
    assert f"{file} is damaged" in fault
    file.unlink()
    assert open_archived_log(archive.settings).expired() > 0


def test_a_topic_that_was_created_again_has_a_generation_of_its_own(apache_kafka: Kafka, tmp_path: Path) -> None:
    """Records of the old topic are never mixed with those of the new one, and neither are their offsets."""
    world = World(apache_kafka.address, tmp_path, partitions=1)
    archive, topic = _Archive(world), world.settings.topics.raw
    _produce(world, 10)
    archive.fill()
    old = archive.generation()
    _create_again(world)
    with pytest.raises(ConfigError, match="the archive doesn't hold"):
        open_archived_log(archive.settings)
    _produce(world, 5)
    with archive.thread():
        wait_until(lambda: len(archive.store.folders(topic)) == 2, every_s=0.3)
        (new,) = [one for one in find_generations(archive.store, topic) if one.name != old.name]
        wait_until(lambda: bool(new.partitions()) and new.held(0).records == 5, every_s=0.3)
    assert old.held(0).records == 10
    assert archive.faults() == []


def test_a_lost_topic_is_restored_from_the_archive(apache_kafka: Kafka, tmp_path: Path) -> None:
    """A new topic gets every event in its partition, in order, as it was; one that isn't empty is refused."""
    world = World(apache_kafka.address, tmp_path, partitions=2)
    archive = _Archive(world)
    _produce(world, 30)
    archive.fill()
    before = _contents_of(world.log())
    name = archive.generation().name
    assert "has had 30 records" in archive.terminal.failure("archive", "restore", name, code=2)
    _create_again(world)
    assert archive.terminal.json("archive", "restore", name) == {
        "records": 30,
        "unreadable": 0,
        "missing": 0,
        "refused": 0,
    }
    assert _contents_of(world.log()) == before


def _create_again(world: World) -> None:
    topic, partitions = world.settings.topics.raw, world.cluster.topics()[world.settings.topics.raw]
    admin = AdminClient({"bootstrap.servers": world.settings.kafka.brokers})
    admin.delete_topics([topic])[topic].result(30)
    wait_until(lambda: topic not in world.cluster.topics())
    world.cluster.create_topic(topic, partitions=partitions, replication=1, config={})


def _contents_of(log: list[Record]) -> list[tuple[object, ...]]:
    found = [(r.origin.partition, r.origin.offset, r.key, r.value, r.timestamp_ms, r.headers) for r in log]
    return sorted(found, key=lambda one: (one[0], one[1]))


def test_mistakes_are_one_line(tansu: str, tmp_path: Path) -> None:
    """Without a place, a topic or a broker the archiver says what to do; an empty archive is a fault."""
    world = World(tansu, tmp_path, partitions=1)
    assert "TICKETS_ARCHIVE__PLACE is not set" in Terminal(world).failure("archive", "run", code=2)
    (fault,) = _Archive(world).terminal.json("archive", "verify", code=1)
    assert "is empty, so nothing is archived there" in fault
    place = {"TICKETS_ARCHIVE__PLACE": str(tmp_path / "none")}
    assert "is empty, so nothing is archived there" in Terminal(world, **place).failure("archive", "list", code=0)
    no_topic = Terminal(world, **place, TICKETS_TOPICS__RAW="no-such-topic")
    assert "ticketstream topics" in no_topic.failure("archive", "run", code=3)
    no_broker = Terminal(world, **place, TICKETS_KAFKA__BROKERS="127.0.0.1:9", TICKETS_KAFKA__STARTUP_TIMEOUT_S="1")
    assert "set TICKETS_KAFKA__BROKERS, or start one" in no_broker.failure("archive", "run", code=3)
