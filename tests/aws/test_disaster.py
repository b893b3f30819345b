"""A drill: a region is lost with everything in it, and another one goes on from the copies of archive and tickets.

TICKETS_TEST_EVENTS sets the number of events, by default 400.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Final

import pytest

from archive.generation import Generation
from connectors.archive_store.folder import FolderArchive
from connectors.kafka.producer import Outgoing, Sender, open_sender
from connectors.ticket_store.sqlite import SqliteStores, open_sqlite
from core.contract import record_key
from core.errors import RefusedError
from core.ticket_store import OutboxEvent
from delivery.relay import Relay
from local.broker import start_broker
from synthetic.tickets import events
from tests.connectors.ticket_store.stores import delete, upsert
from tests.e2e.terminal import TICKETSTREAM, Terminal
from tests.e2e.world import WorkerProcess, World
from tests.rigs.waiting import wait_until

_EVENTS: Final = int(os.environ.get("TICKETS_TEST_EVENTS", "400"))
_API_TICKETS: Final = 20
_PARTITIONS: Final = 4
_FIRST_LATE: Final = 1_000_000

Ticket = tuple[str, str]


class Copier:
    """Copies an archive's objects to another folder in any order, as S3's replication does."""

    def __init__(self, source: Path, target: Path, rng: Random) -> None:
        self._source, self._target, self._rng = source, target, rng
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def copy(self, share: float = 1.0) -> None:
        """Copy this share of the objects that the target lacks or has as they were."""
        found = [path for path in self._source.rglob("*") if path.suffix in {".gz", ".jsonl", ".json"}]
        self._rng.shuffle(found)
        for path in found:
            to = self._target / path.relative_to(self._source)
            data = path.read_bytes()
            if (not to.exists() or to.read_bytes() != data) and self._rng.random() < share:
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(data)

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            self.copy()


class Api:
    """The ticket API's writes: tickets in its table, and events that its relay sends."""

    def __init__(self, stores: SqliteStores, sender: Sender, topic: str) -> None:
        self._stores, self._topic, self._sender = stores, topic, sender
        self._relay = Relay(stores.outbox, self._send, owner="drill")
        #: Version of each ticket, and whether it is deleted.
        self.told: dict[Ticket, tuple[int, bool]] = {}

    def _send(self, found: Sequence[OutboxEvent], /) -> dict[int, RefusedError]:
        self._sender.send([Outgoing(self._topic, record_key(e.tenant_id, e.ticket_id), e.value) for e in found])
        return {}

    def write(self, number: int, version: int, *, deletes: bool = False) -> None:
        """Write a version of a ticket."""
        name = f"API-{number}"
        change = delete(name, version=version) if deletes else upsert(name, version=version, body=f"version {version}")
        self._stores.tickets.apply(change)
        self.told["acme", name] = (version, deletes)

    def relay(self) -> int:
        """Send the outbox."""
        return self._relay.run_once().sent


class Steps:
    """The duration of each step of the recovery, in seconds."""

    def __init__(self) -> None:
        self.took: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.took[name] = time.monotonic() - began

    def show(self, restored: int) -> None:
        for name, seconds in self.took.items():
            print(f"{name:32} {seconds:6.1f} s")
        rates = {name: restored / self.took[name] for name in ("restore the log", "rebuild the index")}
        print(f"{restored} events: " + ", ".join(f"{name} {rate:.0f}/s" for name, rate in rates.items()))


def _tickets(records: Sequence[bytes]) -> set[Ticket]:
    """The tickets of record keys, of which a broken one has none."""
    found = set()
    for key in records:
        tenant, _, ticket = key.decode(errors="replace").partition("/")
        if ticket:
            found.add((tenant, ticket))
    return found


@pytest.mark.thorough
def test_a_lost_region_is_rebuilt_from_its_copies(tmp_path: Path) -> None:
    """Nothing is lost that was copied, nor any ticket of the API; other events of the last minutes may be."""
    lost_region, copies = tmp_path / "first", tmp_path / "copies"
    lost_region.mkdir()
    copies.mkdir()
    with ExitStack() as stack:
        table = open_sqlite(copies / "tickets.db", stack)  # the table's replica
        with start_broker() as broker:
            world = World(broker.address, lost_region, partitions=_PARTITIONS)
            late, before, api, since_ms = _live(
                world, table, Copier(lost_region / "archive", copies / "archive", Random(7))
            )
        shutil.rmtree(lost_region)
    with start_broker() as broker:
        after, steps, report = _recover(world, broker.address, tmp_path, since_ms)
    steps.show(report["records"])
    kept = {ticket: found for ticket, found in before.items() if ticket not in late and ticket not in api.told}
    assert len(kept) > _EVENTS / 2
    assert {ticket: after.get(ticket) for ticket in kept} == kept
    assert {ticket: after.get(ticket) for ticket in api.told} == api.told
    lost = {ticket for ticket in late if ticket in before and ticket not in after}
    print(f"tickets before {len(before)}, after {len(after)}, lost of the last minutes {len(lost)} of {len(late)}")
    assert 0 < len(lost) < len(late), "the drill is meant to lose some, and to find those that were copied"
    assert set(after) <= set(before)


def _live(
    world: World, table: SqliteStores, copier: Copier
) -> tuple[set[Ticket], dict[Ticket, tuple[int, bool]], Api, int]:
    """A region at work until it is lost. Returns the tickets of its last minutes, its index, and the API."""
    settings = {
        "TICKETS_ARCHIVE__PLACE": str(world.folder / "archive"),
        "TICKETS_ARCHIVE__FILE_AGE_S": "0.2",
    }
    sender = open_sender(world.settings.kafka)
    api = Api(table, sender, world.settings.topics.raw)
    with (
        WorkerProcess(world) as worker,
        WorkerProcess(world, command=[TICKETSTREAM, "archive", "run"], environment=settings) as archiver,
    ):
        copier.start()
        world.produce(events(_EVENTS, seed=7))
        for number in range(_API_TICKETS):
            api.write(number, 1)
        world.produced += api.relay()
        _await_copies(world, archiver)
        copier.stop()
        # From now on hardly anything is copied: the last minutes.
        since_ms = upsert(version=2).updated_ms
        wanted = [*events(_EVENTS // 4, seed=8, first=_FIRST_LATE, edits=0, deletes=0)]
        for begin in range(0, len(wanted), 10):
            world.produce(wanted[begin : begin + 10])
        for number in range(_API_TICKETS // 2):
            api.write(number, 2, deletes=number % 3 == 0)
        world.produced += api.relay()
        for number in range(_API_TICKETS // 2, _API_TICKETS):
            api.write(number, 2)  # in the table, and not sent
        world.wait_committed([worker])
        wait_until(lambda: _archived(world.folder / "archive", world) == world.produced, archiver.output, every_s=0.3)
        copier.copy(share=0.4)
    sender.close()
    return _tickets([record.key for record in wanted]), world.held(), api, since_ms


def _archived(place: Path, world: World) -> int:
    store = FolderArchive(place)
    topic = world.settings.topics.raw
    found = [Generation(store, f"{topic}/{name}") for name in store.folders(topic)]
    return sum(one.copied(number).records for one in found for number in one.partitions())


def _await_copies(world: World, archiver: WorkerProcess) -> None:
    copies = world.folder.parent / "copies" / "archive"
    wait_until(lambda: _archived(copies, world) == world.produced, archiver.output, every_s=0.3)


def _recover(
    lost: World, brokers: str, folder: Path, since_ms: int
) -> tuple[dict[Ticket, tuple[int, bool]], Steps, dict[str, int]]:
    """Do what docs/disaster-recovery.md says. Returns the new index, the durations, and what was restored."""
    steps = Steps()
    with steps.step("create the topics"):
        world = World(brokers, folder / "second", partitions=_PARTITIONS)
        world.settings = world.settings.model_copy(update={"topics": lost.settings.topics})
        for topic, count in ((world.settings.topics.raw, _PARTITIONS), (world.settings.topics.dlq, 1)):
            world.cluster.create_topic(topic, partitions=count, replication=1, config={})
    (world.folder).mkdir(exist_ok=True)
    archive, table = folder / "copies" / "archive", folder / "copies" / "tickets.db"
    terminal = Terminal(
        world, TICKETS_ARCHIVE__PLACE=str(archive), TICKETS_API__STORE="sqlite", TICKETS_API__PATH=str(table)
    )
    topic = world.settings.topics.raw
    (name,) = FolderArchive(archive).folders(topic)
    with steps.step("restore the log"):
        report = terminal.json("archive", "restore", f"{topic}/{name}", "--copy")
    with steps.step("send the API's tickets"):
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since_ms / 1000))
        resent = terminal.json("tickets", "resend", "--since", since)
    assert resent["tickets"] == _API_TICKETS
    with steps.step("rebuild the index"):
        terminal.run("rebuild")
    print(f"restored {report}, sent again {resent}")
    return world.held(), steps, report
