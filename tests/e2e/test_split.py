"""A split stream builds the same index as one process, despite kills."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from connectors.kafka.reader import read_topic
from connectors.qdrant.open import open_index_for_writing
from core.records import Origin, Record, Rejected
from core.settings import IndexSettings
from core.wire.embedded import MODEL
from core.wire.enriched import decode_enriched
from core.wire.format import BROKER_TIME
from models.open import load_embedder
from operators.receive import receive_embedded, receive_enriched
from stream.roles import EMBEDDING, ENRICHMENT
from synthetic.tickets import events
from tests.contracts.digest import contents, digest
from tests.e2e.split import SplitWorld
from tests.e2e.terminal import TICKETSTREAM, Terminal
from tests.e2e.world import WorkerProcess, assert_same
from tests.oracle import broken, fold
from tests.reading import read
from tests.rigs.qdrant_facade import QdrantFacade
from tests.rigs.waiting import PATIENCE_S

#: SIGKILL at the nth point between a write and its ack. The embedding role has two such points per batch.
_DEATHS = ((ENRICHMENT, 2), (ENRICHMENT, 3), (EMBEDDING, 1), (EMBEDDING, 4))


@pytest.fixture(scope="module")
def drained(tansu: str, tmp_path_factory: pytest.TempPathFactory) -> SplitWorld:
    """A split stream that has read a log with edits, deletes and broken records, each role killed twice."""
    world = SplitWorld(tansu, tmp_path_factory.mktemp("split"), session_timeout_s=1)
    everything = list(events(700, seed=21, edits=0.3, deletes=0.1, broken=0.05))
    world.produce(everything[:500])
    with world:
        for role, nth in _DEATHS:
            doomed = world.start(
                role,
                TICKETS_TEST_FAILPOINTS=f"after_response=kill@{nth}",
                TICKETS_WRITER__MAX_BATCH_RECORDS="32",
            )
            assert doomed.wait() == -9, doomed.output()
            if role == ENRICHMENT and nth == 3:
                world.start(ENRICHMENT)
        world.start(EMBEDDING)
        world.produce(everything[500:])
        world.wait_drained()
        for worker in world.roles.values():
            assert "@example" not in worker.output(), "no ticket's text in the log"
        world.terminate()
    return world


def test_a_split_stream_builds_the_index_of_a_single_process(drained: SplitWorld, tmp_path: Path) -> None:
    """Both shapes of the stream give the same digest, and the index is the fold of the log."""
    single = {"TICKETS_INDEX__PATH": str(tmp_path / "index"), "TICKETS_KAFKA__GROUP": f"{tmp_path.name}-single"}
    settings = drained.settings.kafka.model_copy(update={"group": single["TICKETS_KAFKA__GROUP"]})
    with WorkerProcess(drained, environment=single) as worker:
        lag = drained.cluster.lag
        topic = drained.settings.topics.raw
        while sum(p.committed or 0 for p in lag(topic, settings.group)) < drained.produced:
            worker.assert_runs()
        assert worker.terminate() == 0, worker.output()
    split, alone = _open(drained, drained.settings.index), _open(drained, IndexSettings(path=tmp_path / "index"))
    try:
        assert_same(contents(split), contents(alone))
        assert digest(split) == digest(alone)
        held = {(t.tenant_id, t.ticket_id): (t.version, t.deleted) for t in split.tickets()}
    finally:
        split.close()
        alone.close()
    assert held == {key: (expected.version, expected.deleted) for key, expected in fold(drained.log()).items()}


def test_enriched_records_keep_key_partition_and_origin(drained: SplitWorld) -> None:
    """Records, deletes included, keep key, partition, version and origin; broken ones are only in the dead letters."""
    log = {_place(record.origin): record for record in drained.log()}
    enriched = drained.between(drained.settings.topics.enriched)
    assert _misplaced(enriched, log) == []
    for record in enriched:
        (item,) = receive_enriched([record])
        assert not isinstance(item, Rejected)
        raw = log[_place(item.ticket.raw.origin)]
        event = read(raw)
        assert event is not None
        assert (item.ticket.version, item.ticket.deleted) == (event.version, event.deleted)
        assert dict(record.headers)[BROKER_TIME] == str(raw.timestamp_ms).encode()
    sound = {place for place, record in log.items() if read(record) is not None}
    assert {_place(decode_enriched(record).ticket.raw.origin) for record in enriched} == sound
    headers = ({name: value or b"" for name, value in letter.headers} for letter in drained.letters())
    lettered = {(int(h["dlq-partition"]), int(h["dlq-offset"])) for h in headers}
    assert lettered == {_place(record.origin) for record in broken(list(log.values()))}


def test_a_record_in_another_partition_is_caught(drained: SplitWorld) -> None:
    """A record in another partition fails the check above; it would break the order of a ticket's events."""
    log = {_place(record.origin): record for record in drained.log()}
    enriched = drained.between(drained.settings.topics.enriched)
    moved = [
        Record(Origin(r.origin.topic, (r.origin.partition + 1) % 4, r.origin.offset), r.key, r.value, 0, r.headers)
        for r in enriched[:1]
    ]
    assert len(_misplaced(moved, log)) == 1


def test_the_embedded_topic_rebuilds_the_index(drained: SplitWorld, tmp_path: Path) -> None:
    """`rebuild --from embedded` gives the same digest without a model, and `reconcile --split` finds no difference."""
    embedded = drained.between(drained.settings.topics.embedded)
    assert {dict(record.headers)[MODEL] for record in embedded} == {
        load_embedder(drained.settings.model).stamp.encode()
    }
    assert not any(isinstance(item, Rejected) for item in receive_embedded(embedded))

    path = tmp_path / "rebuilt"
    told = _command(drained, ["rebuild", "--from", "embedded", "--json"], TICKETS_INDEX__PATH=str(path), **_NO_MODEL)
    assert told["rejected"] == 0
    split, rebuilt = _open(drained, drained.settings.index), _open(drained, IndexSettings(path=path))
    try:
        assert digest(rebuilt) == digest(split)
    finally:
        split.close()
        rebuilt.close()
    report = _command(drained, ["reconcile", "--split", "--json"])
    assert (report["differences"], report["pending"]) == ([], 0)
    assert report["tickets"] == len(fold(drained.log()))


def test_a_rebuild_from_the_embedded_topic_switches_the_alias(drained: SplitWorld, tmp_path: Path) -> None:
    """On a server each `rebuild --from embedded` fills a new collection and switches the alias to it."""
    with QdrantFacade(tmp_path / "qdrant") as facade:
        server = {"TICKETS_INDEX__URL": facade.url, "TICKETS_INDEX__COLLECTION": "live"}
        rebuild = ["rebuild", "--from", "embedded", "--json"]
        first, second = (_command(drained, rebuild, **server, **_NO_MODEL) for _ in range(2))
        assert (first["old"], second["old"]) == (None, first["index"])
        assert first["index"] != second["index"]
        split = _open(drained, drained.settings.index)
        rebuilt = _open(drained, IndexSettings(url=facade.url, collection="live"))
        try:
            assert_same(contents(rebuilt), contents(split))
        finally:
            split.close()
            rebuilt.close()


def test_a_ticket_that_the_embedding_role_lost_is_found(drained: SplitWorld, tmp_path: Path) -> None:
    """Against an empty index `reconcile --split` reports every ticket as missing."""
    path = tmp_path / "empty"
    _open(drained, IndexSettings(path=path)).close()
    result = _run(drained, ["reconcile", "--split", "--json"], TICKETS_INDEX__PATH=str(path))
    assert result.returncode == 1, result.stderr
    missing = [d for d in json.loads(result.stdout)["differences"] if d["kind"] == "missing"]
    assert len(missing) == len(fold(drained.log()))


def test_a_topic_with_fewer_partitions_stops_the_start(tansu: str, tmp_path: Path) -> None:
    """The role exits with 2 and one line, because records could not keep their partition."""
    world = SplitWorld(tansu, tmp_path)
    narrow = f"{world.settings.topics.enriched}-narrow"
    world.cluster.create_topic(narrow, partitions=2, replication=1, config={})
    with world.start(ENRICHMENT, TICKETS_TOPICS__ENRICHED=narrow) as worker:
        assert worker.wait() == 2
        (line,) = [line for line in worker.output().splitlines() if line.startswith("ticketstream:")]
    assert f"{world.settings.topics.raw} has 4 partitions, but {narrow} has 2" in line
    assert "Traceback" not in worker.output()


def test_a_record_in_another_format_is_dead_lettered_by_the_embedding_role(tansu: str, tmp_path: Path) -> None:
    """The embedding role dead-letters plain JSON in `tickets.enriched`, and a replay sends it back unaltered."""
    world = SplitWorld(tansu, tmp_path, session_timeout_s=1)
    topic = world.settings.topics.enriched
    world.send(topic, b"acme/1", b'{"op": "upsert"}')
    with world.start(EMBEDDING) as worker:
        world.wait_drained(EMBEDDING)
        assert worker.terminate() == 0, worker.output()
    (letter,) = world.letters()
    headers = dict(letter.headers)
    assert (headers["dlq-stage"], headers["dlq-code"], headers["dlq-topic"]) == (
        b"embed",
        b"unknown_format",
        topic.encode(),
    )
    assert letter.value == b'{"op": "upsert"}'
    Terminal(world).run("dlq", "replay", "--yes")
    sent, back = read_topic(world.settings.kafka, topic, partitions=4)
    assert (back.key, back.value) == (sent.key, sent.value)


#: An invalid model name: loading a model fails.
_NO_MODEL = {"TICKETS_MODEL__NAME": "nobody"}


def _open(world: SplitWorld, settings: IndexSettings) -> Any:
    embedder = load_embedder(world.settings.model)
    return open_index_for_writing(settings, dimension=embedder.dimension, model=embedder.stamp)


def _place(origin: Origin) -> tuple[int, int]:
    return origin.partition, origin.offset


def _misplaced(records: Sequence[Record], log: dict[tuple[int, int], Record]) -> list[Record]:
    """Records whose key or partition differs from that of their raw record."""
    wrong = []
    for record in records:
        source = decode_enriched(record).ticket.raw.origin
        raw = log[_place(source)]
        if record.key != raw.key or record.origin.partition != source.partition:
            wrong.append(record)
    return wrong


def _run(world: SplitWorld, arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    command = [TICKETSTREAM, *arguments]
    return subprocess.run(
        command, env=world.environment(**environment), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def _command(world: SplitWorld, arguments: list[str], **environment: str) -> Any:
    result = _run(world, arguments, **environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
