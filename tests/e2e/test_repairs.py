"""A repair deletes no valid ticket: on a trimmed log, without a setting, and during writes."""

import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.qdrant.open import open_index_for_writing
from connectors.qdrant.policy import VersionedIndex
from core.settings import IndexSettings
from models.open import load_embedder
from synthetic.tickets import SyntheticRecord
from tests.contracts.digest import contents
from tests.e2e.terminal import Terminal
from tests.e2e.world import WorkerProcess, World, assert_same
from tests.rigs.kafka.single import Kafka
from tests.rigs.qdrant_facade import QdrantFacade


def _event(number: int, version: int | None = 1, **more: Any) -> SyntheticRecord:
    ticket_id = f"R-{number}"
    event = {
        "op": "upsert",
        "tenant_id": "acme",
        "ticket_id": ticket_id,
        "created_at": 0,
        "updated_at": 1_700_000_000_000,
    }
    value = event | ({} if version is None else {"version": version}) | more
    return SyntheticRecord(f"acme/{ticket_id}".encode(), msgspec.json.encode(value), "create")


def _drain(world: World, **environment: str) -> None:
    with WorkerProcess(world, environment=environment) as worker:
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.output()


def _index(world: World, settings: IndexSettings | None = None) -> "closing[VersionedIndex]":
    embedder = load_embedder(world.settings.model)
    chosen = settings or world.settings.index
    return closing(open_index_for_writing(chosen, dimension=embedder.dimension, model=embedder.stamp))


def _contents(world: World, settings: IndexSettings | None = None) -> dict[str, Any]:
    with _index(world, settings) as index:
        return contents(index)


def test_tickets_of_a_trimmed_log_stay(apache_kafka: Kafka, tmp_path: Path) -> None:
    """A ticket whose records may have expired stays, unless their exact number is given; later events are indexed."""
    world = World(apache_kafka.address, tmp_path, partitions=1)
    terminal = Terminal(world)
    world.produce([_event(n) for n in range(500)])
    _drain(world)
    admin = AdminClient({"bootstrap.servers": apache_kafka.address})
    (trimmed,) = admin.delete_records([TopicPartition(world.settings.topics.raw, 0, 400)]).values()
    trimmed.result(30)
    before = _contents(world)
    report = terminal.json("reconcile", "--repair", "--yes")
    assert (report["expired"], len(report["unproven"]), report["deleted"], report["differences"]) == (400, 400, 0, [])
    assert "--delete-surplus 400" in report["refused"]
    assert_same(_contents(world), before)
    assert "--accept-expired 400" in terminal.failure("rebuild", code=2)
    assert_same(_contents(world), before)

    assert "400 ticket(s) are not in the log now" in terminal.failure(
        "reconcile", "--repair", "--delete-surplus", "399", code=2
    )
    assert terminal.json("reconcile", "--repair", "--delete-surplus", "400")["deleted"] == 400
    world.produce([_event(7, 2)])
    _drain(world)
    with _index(world) as index:
        held = {ticket.ticket_id: (ticket.version, ticket.deleted) for ticket in index.tickets()}
    assert held == {f"R-{n}": (1, False) for n in range(400, 500)} | {"R-7": (2, False)}


def test_a_setting_that_is_missing_deletes_nothing(tansu: str, tmp_path: Path) -> None:
    """If a missing setting makes every record unusable, repair and rebuild name it and change nothing."""
    world = World(tansu, tmp_path)
    setting = {"TICKETS_CONTRACT__VERSION_SOURCE": "updated_at"}
    world.produce([_event(n, None) for n in range(300)])
    _drain(world, **setting)
    before = _contents(world)
    bare = Terminal(world)
    words = "TICKETS_CONTRACT__VERSION_SOURCE is version here, and the workers wrote the index with updated_at"
    assert words in bare.failure("reconcile", "--repair", "--yes", code=2)
    assert words in bare.failure("reconcile", code=1), "a comparison warns"
    assert words in bare.failure("rebuild", code=2)
    assert "300 of 300 records" in bare.failure("rebuild", "--new-settings", code=2)
    assert_same(_contents(world), before)
    terminal = Terminal(world, **setting)
    assert terminal.json("reconcile", "--repair", "--yes")["differences"] == []
    assert_same(_contents(world), before)


def test_a_repair_beside_writers_deletes_what_is_surplus_alone(tansu: str, tmp_path: Path) -> None:
    """During writes a repair deletes only a ticket that the log doesn't have."""
    world = World(tansu, tmp_path)
    with QdrantFacade(tmp_path / "qdrant") as facade:
        settings = IndexSettings(url=facade.url)
        terminal = Terminal(world, TICKETS_INDEX__URL=facade.url)
        world.produce([_event(n) for n in range(50)])
        with WorkerProcess(world, environment={"TICKETS_INDEX__URL": facade.url}) as worker:
            world.wait_committed([worker])
            for round_ in range(3):
                stranger = msgspec.structs.replace(world.log()[0], key=b"acme/R-9000", value=_event(9000, 5).value)
                with _index(world, settings) as index:
                    index.write(world.points([stranger]))
                with _Writing(world, first=100 + 1_000 * round_):
                    report = terminal.json("reconcile", "--repair", "--yes")
                assert report["deleted"] == 1
            world.produce([_event(9000, 5)])
            world.wait_committed([worker])
            assert worker.terminate() == 0, worker.output()
        assert_same(_contents(world, settings), world.folded(world.log()))


class _Writing(threading.Thread):
    """Writes new tickets and edits until the block ends."""

    def __init__(self, world: World, *, first: int) -> None:
        super().__init__()
        self._world = world
        self._numbers = count(first)
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.02):
            self._world.produce(self._some())

    def _some(self) -> Iterator[SyntheticRecord]:
        number = next(self._numbers)
        yield _event(number)
        yield _event(number % 50, number)

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_exc: object) -> None:
        self._done.set()
        self.join()
