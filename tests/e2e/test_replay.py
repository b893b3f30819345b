"""Dead letters are replayed, and an index is reconciled with its log, repaired and rebuilt."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from connectors.kafka.dead_letters import DeadLetterTopic
from connectors.kafka.producer import Outgoing, Sender, open_sender
from connectors.qdrant.open import open_index_for_writing
from connectors.qdrant.policy import VersionedIndex
from core.errors import EXIT_UNAVAILABLE, RefusedError
from core.records import Record, Rejected
from core.settings import IndexSettings
from models.open import load_embedder
from synthetic.tickets import SyntheticRecord, events
from tests.contracts.digest import contents, digest
from tests.e2e.terminal import Terminal
from tests.e2e.world import WorkerProcess, World, assert_same
from tests.oracle import fold
from tests.rigs.qdrant_facade import QdrantFacade
from tests.rigs.waiting import wait_until


def _event(number: int, version: int, **more: Any) -> SyntheticRecord:
    ticket_id = f"R-{number}"
    event = {"op": "upsert", "tenant_id": "acme", "ticket_id": ticket_id, "version": version, "created_at": 0}
    value = msgspec.json.encode({**event, "updated_at": 0, "subject": f"Version {version}", **more})
    return SyntheticRecord(f"acme/{ticket_id}".encode(), value, "create")


@contextmanager
def _opened(world: World, settings: IndexSettings | None = None) -> Iterator[VersionedIndex]:
    embedder = load_embedder(world.settings.model)
    index = open_index_for_writing(settings or world.settings.index, dimension=embedder.dimension, model=embedder.stamp)
    try:
        yield index
    finally:
        index.close()


def _drain(world: World, **environment: str) -> None:
    with WorkerProcess(world, environment=environment) as worker:
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.output()


def test_replayed_letters_are_indexed_unless_they_are_stale(tansu: str, tmp_path: Path) -> None:
    """After a limit is raised, replayed letters are indexed; stale ones and a second replay change nothing.

    The second one must be asked for with --again: letters that were replayed are skipped.
    """
    world = World(tansu, tmp_path)
    terminal = Terminal(world)
    strict = {"TICKETS_CONTRACT__MAX_TAGS": "2"}
    tags = {"tags": ["a", "b", "c"]}
    world.produce([_event(1, 1, **tags), _event(2, 1, **tags), _event(3, 1, **tags), _event(4, 5), _event(5, -1)])
    _drain(world, **strict)
    world.produce([_event(2, 2), SyntheticRecord(b"acme/R-3", None, "null_delete", "", (("version", b"2"),))])
    _drain(world, **strict)
    assert len(world.letters()) == 4
    with _opened(world) as index:
        before = {ticket.ticket_id: (ticket.version, ticket.deleted) for ticket in index.tickets()}
    assert before == {"R-2": (2, False), "R-3": (2, True), "R-4": (5, False)}

    moment = world.letters()[-1].timestamp_ms + 1
    assert terminal.json("dlq", "list", "--since", "2100-01-01") == []
    assert terminal.json("dlq", "list", "--until", "2020-01-01T00:00:00Z") == []
    (letter,) = terminal.json("dlq", "list", "--ticket", "acme/R-1")
    assert letter["first_seen_ms"] <= moment

    terminal.run("dlq", "replay", "--yes", "--ticket", "acme/R-1", "--code", "bad_field")
    assert len(world.log()) == 7, "no letter is both"
    digests = []
    for again in ([], ["--again"]):
        terminal.run("dlq", "replay", "--yes", "--code", "too_many_tags", *again)
        world.produced += 3
        _drain(world)
        with _opened(world) as index:
            digests.append(digest(index))
            held = {ticket.ticket_id: (ticket.version, ticket.deleted) for ticket in index.tickets()}
        assert held == {**before, "R-1": (1, False)}
    assert digests[0] == digests[1]
    assert "nothing to replay" in terminal.run("dlq", "replay", "--yes", "--code", "too_many_tags")
    assert len(world.letters()) == 4, "a replay of what became valid makes no letters"
    assert terminal.json("reconcile")["differences"] == []


def test_letters_that_are_still_bad_do_not_multiply(tansu: str, tmp_path: Path) -> None:
    """Twenty bad letters stay twenty after repeated and concurrent replays."""
    world = World(tansu, tmp_path)
    terminal = Terminal(world)
    world.produce(_event(n, -1) for n in range(20))
    _drain(world)
    for commands in (1, 1, 2, 1):
        with ThreadPoolExecutor(commands) as pool:
            list(pool.map(lambda _: terminal.run("dlq", "replay", "--yes"), range(commands)))
        assert len(world.log()) == world.produced + 20, f"{commands} at once"
        assert "nothing to replay" in terminal.run("dlq", "replay", "--yes"), "before a worker has read them"
        world.produced += 20
        _drain(world)
    letters = terminal.json("dlq", "list")
    assert len(letters) == 100, "each is kept until its retention ends"
    assert len({letter["first_origin"] for letter in letters}) == 20


def test_cut_letters_are_replayed_whole(tansu: str, tmp_path: Path) -> None:
    """A cut letter is replayed from its original record; if that has expired, the command says so."""
    world = World(tansu, tmp_path)
    terminal = Terminal(world)
    world.produce([_event(1, 1, tags=["a"] * 3, body="long " * 30_000)])
    (record,) = world.log()
    rejected = Rejected(record, "decode", "too_many_tags", "why")
    gone = Rejected(structs.replace(record, value=(record.value or b"") + b" "), "decode", "too_large", "why")
    sender = open_sender(world.settings.kafka)
    letters = DeadLetterTopic(_Narrow(sender), topic=world.settings.topics.dlq, now_ms=lambda: 1)
    letters.publish([rejected, gone])
    sender.close()
    assert [letter["cut"] for letter in terminal.json("dlq", "list")] == ["value", "value"]
    assert "dlq-cut: value" in terminal.run("dlq", "show", "0:0")
    assert terminal.run("dlq", "show", "--raw", "0:0").encode() == record.value
    terminal.run("dlq", "show", "--raw", "0:1", code=2)
    terminal.run("dlq", "replay", "--yes")
    first, second = world.log()
    assert (second.key, second.value) == (first.key, first.value)
    assert "nothing to replay" in terminal.run("dlq", "replay", "--yes", "--code", "too_many_tags")


class _Narrow(Sender):
    """A topic that refuses records of more than 100 kB."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def offer(self, records: Sequence[Outgoing]) -> dict[int, RefusedError]:
        large = {n: RefusedError("too large") for n, one in enumerate(records) if len(one.value or b"") > 100_000}
        self._sender.send([one for n, one in enumerate(records) if n not in large])
        return large


def test_reconcile_lists_and_repairs_differences(tansu: str, tmp_path: Path) -> None:
    """Reconcile lists missing, stale, resurrected and surplus tickets by id; after --repair the index is the fold."""
    world = World(tansu, tmp_path)
    terminal = Terminal(world)
    world.produce(events(400, seed=21, broken=0.05))
    _drain(world)
    log = world.log()
    held = fold(log)
    report = terminal.json("reconcile")
    assert (report["records"], report["tickets"], report["differences"]) == (400, len(held), [])
    assert report["unusable"] == len(world.letters())

    _spoil(world, log)
    report = terminal.json("reconcile", code=1)
    kinds = {(d["kind"], d["tenant_id"], d["ticket_id"]) for d in report["differences"]}
    stale, resurrected = _older(log)
    missing = {key for key in held if key not in {stale, resurrected}} - _kept(world)
    assert kinds == {
        *(("missing", *key) for key in missing),
        ("stale", *stale),
        ("resurrected", *resurrected),
        ("surplus", "acme", "never-written"),
    }
    shown = terminal.run("reconcile", code=1)
    assert f"missing: {len(missing)}" in shown
    assert "never-written" in shown

    assert terminal.json("reconcile", "--repair", "--yes")["deleted"] == 1
    report = terminal.json("reconcile")
    assert (report["differences"], report["pending"]) == ([], 0)
    with _opened(world) as index:
        found = contents(index)
    assert_same({i: p for i, p in found.items() if p[0]["ticket_id"] != "never-written"}, world.folded(log))


def _older(log: list[Record]) -> tuple[tuple[str, str], tuple[str, str]]:
    """The ids of a live and of a deleted ticket that have an older version in the log."""
    first: dict[tuple[str, str], int] = {}
    held = fold(log)
    for at in range(len(log)):
        for key, expected in fold(log[at : at + 1]).items():
            if not expected.deleted:
                first.setdefault(key, expected.version)
    lives = next(k for k, e in sorted(held.items()) if not e.deleted and first.get(k, e.version) < e.version)
    deleted = next(k for k, e in sorted(held.items()) if e.deleted and first.get(k, e.version) < e.version)
    return lives, deleted


def _kept(world: World) -> set[tuple[str, str]]:
    with _opened(world) as index:
        return {(t.tenant_id, t.ticket_id) for t in index.tickets()}


def _spoil(world: World, log: list[Record]) -> None:
    """Replace the index with one that has missing, stale, resurrected and surplus tickets."""
    older = set(_older(log))
    held = fold(log)
    kept = [e.record for n, (key, e) in enumerate(sorted(held.items())) if n % 2 and key not in older]
    firsts: dict[tuple[str, str], Any] = {}
    for record in log:
        for key, expected in fold([record]).items():
            if key in older and not expected.deleted:
                firsts.setdefault(key, record)
    stranger = msgspec.structs.replace(log[0], key=b"acme/never-written", value=_event(0, 3).value)
    stranger = msgspec.structs.replace(stranger, value=(stranger.value or b"").replace(b"R-0", b"never-written"))
    world.settings.index.path.rename(world.folder / "sound")
    points = world.points([*kept, *firsts.values(), stranger])
    with _opened(world) as index:
        index.write(points)


def test_reconcile_beside_a_running_worker(tansu: str, tmp_path: Path) -> None:
    """With an embedded index reconcile exits with 2; a server's index is compared while a worker writes."""
    world = World(tansu, tmp_path)
    world.produce(events(300, seed=22))
    with WorkerProcess(world) as worker:
        world.wait_committed([worker])
        Terminal(world).run("reconcile", code=2)
        assert worker.terminate() == 0
    with QdrantFacade(tmp_path / "qdrant") as facade:
        server = {"TICKETS_INDEX__URL": facade.url, "TICKETS_KAFKA__GROUP": f"{world.settings.kafka.group}-2"}
        terminal = Terminal(world, **server)
        terminal.run("reconcile", code=EXIT_UNAVAILABLE)  # only a worker creates the collection
        with _opened(world, IndexSettings(url=facade.url)):
            pass
        nothing_read = terminal.json("reconcile")
        assert nothing_read["pending"] == nothing_read["tickets"], "uncommitted records are pending, not different"
        with WorkerProcess(world, environment=server) as worker:
            wait_until(lambda: terminal.json("reconcile")["pending"] == 0, worker.output)
            world.produce(events(600, seed=23))
            assert terminal.json("reconcile")["differences"] == []


def test_a_rebuilt_index_has_the_same_digest(tansu: str, tmp_path: Path) -> None:
    """A rebuilt embedded index has the old one's digest, and a worker continues on it."""
    world = World(tansu, tmp_path)
    terminal = Terminal(world)
    world.produce(events(500, seed=24, broken=0.05))
    _drain(world)
    with _opened(world) as index:
        before = digest(index)
    made = terminal.json("rebuild")
    assert made["tickets"] == len(fold(world.log()))
    with _opened(world) as index:
        assert digest(index) == before
    assert not (world.settings.index.path / "rebuild").exists()
    assert len(list(world.settings.index.path.glob("shard*"))) == 1
    world.produce(events(100, seed=25))
    _drain(world)
    assert terminal.json("reconcile")["differences"] == []
