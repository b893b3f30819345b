"""Two stages with topics between them: the same index as one process, whoever is killed on the way."""

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
from tests.e2e.stages import StagedWorld
from tests.e2e.terminal import TICKETSTREAM, Terminal
from tests.e2e.world import WorkerProcess, assert_same
from tests.oracle import broken, fold
from tests.reading import read
from tests.rigs.qdrant_facade import QdrantFacade
from tests.rigs.waiting import PATIENCE_S

#: SIGKILL at the nth time that something is durable and not acked. The embedding stage has two such moments a batch.
_DEATHS = ((ENRICHMENT, 2), (ENRICHMENT, 3), (EMBEDDING, 1), (EMBEDDING, 4))


@pytest.fixture(scope="module")
def drained(tansu: str, tmp_path_factory: pytest.TempPathFactory) -> StagedWorld:
    """A log with edits, deletes and broken records that two stages have read, each killed twice in the midst of it."""
    world = StagedWorld(tansu, tmp_path_factory.mktemp("staged"), session_timeout_s=1)
    everything = list(events(700, seed=21, edits=0.3, deletes=0.1, broken=0.05))
    world.produce(everything[:500])
    with world:
        for role, nth in _DEATHS:
            doomed = world.start(
                role,
                TICKETS_TEST_FAILPOINTS=f"after_response=kill@{nth}",
                TICKETS_WRITER__MAX_BATCH_RECORDS="32",
            )
            assert doomed.wait() == -9, doomed.words()
            if role == ENRICHMENT and nth == 3:
                world.start(ENRICHMENT)
        world.start(EMBEDDING)
        world.produce(everything[500:])
        world.wait_drained()
        for worker in world.stages.values():
            assert "@example" not in worker.words(), "no ticket's text in the log"
        world.terminate()
    return world


def test_stages_make_the_index_of_a_single_process(drained: StagedWorld, tmp_path: Path) -> None:
    """The same log through `dataflows.tickets` into another index: an equal digest, and it is the fold of the log."""
    single = {"TICKETS_INDEX__PATH": str(tmp_path / "index"), "TICKETS_KAFKA__GROUP": f"{tmp_path.name}-single"}
    settings = drained.settings.kafka.model_copy(update={"group": single["TICKETS_KAFKA__GROUP"]})
    with WorkerProcess(drained, environment=single) as worker:
        lag = drained.cluster.lag
        topic = drained.settings.topics.raw
        while sum(p.committed or 0 for p in lag(topic, settings.group)) < drained.produced:
            worker.assert_runs()
        assert worker.terminate() == 0, worker.words()
    staged, alone = _open(drained, drained.settings.index), _open(drained, IndexSettings(path=tmp_path / "index"))
    try:
        assert_same(contents(staged), contents(alone))
        assert digest(staged) == digest(alone)
        held = {(t.tenant_id, t.ticket_id): (t.version, t.deleted) for t in staged.tickets()}
    finally:
        staged.close()
        alone.close()
    assert held == {key: (expected.version, expected.deleted) for key, expected in fold(drained.log()).items()}


def test_records_keep_key_and_partition_and_say_where_they_come_from(drained: StagedWorld) -> None:
    """Deletes and versions too; what is broken is in the dead letters and nowhere else."""
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
    lettered = {(int(h["dlq-partition"]), int(h["dlq-offset"])) for h in (dict(r.headers) for r in drained.letters())}
    assert lettered == {_place(record.origin) for record in broken(list(log.values()))}


def test_a_topic_that_forgets_the_partition_is_caught(drained: StagedWorld) -> None:
    """The check above would see a record that was put elsewhere: with it a ticket's order would be lost."""
    log = {_place(record.origin): record for record in drained.log()}
    enriched = drained.between(drained.settings.topics.enriched)
    moved = [
        Record(Origin(r.origin.topic, (r.origin.partition + 1) % 4, r.origin.offset), r.key, r.value, 0, r.headers)
        for r in enriched[:1]
    ]
    assert len(_misplaced(moved, log)) == 1


def test_whatever_the_index_holds_is_in_the_topic(drained: StagedWorld, tmp_path: Path) -> None:
    """`rebuild --from embedded` needs no model, and the digest is the same; `reconcile --split` finds nothing."""
    embedded = drained.between(drained.settings.topics.embedded)
    assert {dict(record.headers)[MODEL] for record in embedded} == {
        load_embedder(drained.settings.model).stamp.encode()
    }
    assert not any(isinstance(item, Rejected) for item in receive_embedded(embedded))

    path = tmp_path / "anew"
    told = _command(drained, ["rebuild", "--from", "embedded", "--json"], TICKETS_INDEX__PATH=str(path), **_NO_MODEL)
    assert told["rejected"] == 0
    staged, anew = _open(drained, drained.settings.index), _open(drained, IndexSettings(path=path))
    try:
        assert digest(anew) == digest(staged)
    finally:
        staged.close()
        anew.close()
    report = _command(drained, ["reconcile", "--split", "--json"])
    assert (report["differences"], report["pending"]) == ([], 0)
    assert report["tickets"] == len(fold(drained.log()))


def test_an_alias_is_turned_to_what_the_topic_holds(drained: StagedWorld, tmp_path: Path) -> None:
    """On a server: into a new collection each time, and the alias goes from one to the next."""
    with QdrantFacade(tmp_path / "qdrant") as facade:
        server = {"TICKETS_INDEX__URL": facade.url, "TICKETS_INDEX__COLLECTION": "live"}
        rebuild = ["rebuild", "--from", "embedded", "--json"]
        first, second = (_command(drained, rebuild, **server, **_NO_MODEL) for _ in range(2))
        assert (first["old"], second["old"]) == (None, first["index"])
        assert first["index"] != second["index"]
        staged = _open(drained, drained.settings.index)
        anew = _open(drained, IndexSettings(url=facade.url, collection="live"))
        try:
            assert_same(contents(anew), contents(staged))
        finally:
            staged.close()
            anew.close()


def test_a_ticket_that_the_second_stage_lost_is_found(drained: StagedWorld, tmp_path: Path) -> None:
    """Against an index that lacks everything, `reconcile --split` names every ticket: it is no empty check."""
    result = _run(drained, ["reconcile", "--split", "--json"], TICKETS_INDEX__PATH=str(tmp_path / "empty"))
    assert result.returncode == 1, result.stderr
    missing = [d for d in json.loads(result.stdout)["differences"] if d["kind"] == "missing"]
    assert len(missing) == len(fold(drained.log()))


def test_a_topic_with_fewer_partitions_ends_the_start(tansu: str, tmp_path: Path) -> None:
    """In one line: a record could not keep its partition."""
    world = StagedWorld(tansu, tmp_path)
    narrow = f"{world.settings.topics.enriched}-narrow"
    world.cluster.create_topic(narrow, partitions=2, replication=1, config={})
    with world.start(ENRICHMENT, TICKETS_TOPICS__ENRICHED=narrow) as worker:
        assert worker.wait() == 2
        (line,) = [line for line in worker.words().splitlines() if line.startswith("ticketstream:")]
    assert f"{world.settings.topics.raw} has 4 partitions, but {narrow} has 2" in line
    assert "Traceback" not in worker.words()


def test_a_record_of_another_make_is_a_dead_letter_of_the_second_stage(tansu: str, tmp_path: Path) -> None:
    """Somebody's JSON in `tickets.enriched` stops nobody, and is not lost."""
    world = StagedWorld(tansu, tmp_path, session_timeout_s=1)
    topic = world.settings.topics.enriched
    world.send(topic, b"acme/1", b'{"op": "upsert"}')
    with world.start(EMBEDDING) as worker:
        world.wait_drained(EMBEDDING)
        assert worker.terminate() == 0, worker.words()
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


#: A name that no model has: whoever asks for one fails.
_NO_MODEL = {"TICKETS_MODEL__NAME": "nobody"}


def _open(world: StagedWorld, settings: IndexSettings) -> Any:
    embedder = load_embedder(world.settings.model)
    return open_index_for_writing(settings, dimension=embedder.dimension, model=embedder.stamp)


def _place(origin: Origin) -> tuple[int, int]:
    return origin.partition, origin.offset


def _misplaced(records: Sequence[Record], log: dict[tuple[int, int], Record]) -> list[Record]:
    """Records whose key or partition is not that of the event they were made from."""
    wrong = []
    for record in records:
        source = decode_enriched(record).ticket.raw.origin
        raw = log[_place(source)]
        if record.key != raw.key or record.origin.partition != source.partition:
            wrong.append(record)
    return wrong


def _run(world: StagedWorld, words: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    command = [TICKETSTREAM, *words]
    return subprocess.run(
        command, env=world.environment(**environment), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def _command(world: StagedWorld, words: list[str], **environment: str) -> Any:
    result = _run(world, words, **environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
