"""Attacks on Apache Kafka: brokers die, a rebalance storm, added partitions, expired and new topics, bombs."""

import signal
import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]  # exported, not declared

from synthetic.tickets import events
from tests.e2e.terminal import Terminal
from tests.e2e.world import WorkerProcess
from tests.faults import attacks
from tests.faults.arena import Arena
from tests.faults.bombs import DEFAULTS, compressed_batches, declared_options
from tests.faults.oracle import BrokenError, require
from tests.faults.report import Section
from tests.faults.sizes import Run
from tests.faults.storm import Outcome, storm
from tests.faults.tickets import ticket
from tests.rigs.calm import calm_clock
from tests.rigs.kafka import Kafka, KafkaCluster
from tests.rigs.waiting import PATIENCE_S

ArenaOn = Callable[..., Arena]

#: The shortest session timeout that Apache Kafka allows.
_SESSION_S = 6.0
#: Records until a world is judged and replaced, because its log and its ledger are kept in memory.
_RECORDS_PER_WORLD = 100_000


def test_brokers_die(kafka_cluster: KafkaCluster, arena_on: ArenaOn, attack_run: Run, section: Section) -> None:
    """No acknowledged record is lost when the leader, the controller, or two of three brokers are killed."""
    run = attack_run
    producer = {"delivery.timeout.ms": 5_000}
    with arena_on(
        kafka_cluster.address, partitions=3, replication=3, session_timeout_s=_SESSION_S, producer=producer
    ) as arena:
        arena.start()
        made = events(10**9, seed=run.rng("brokers").randrange(10**6), edits=0.3, broken=0.02)
        arena.feeder.start(made, rate=80)
        arena.await_committed(80)
        for _ in range(run.sizes.broker_rounds):
            leader = kafka_cluster.leader(arena.world.settings.topics.raw)
            assert leader is not None
            _without(kafka_cluster, arena, leader, "the leader")
            _without(kafka_cluster, arena, kafka_cluster.controller(), "the controller")
            _without_two(kafka_cluster, arena)
            run.say(f"brokers died: {section.events[-1]}")
        arena.finish()


def _without(cluster: KafkaCluster, arena: Arena, node: int, what: str) -> None:
    """Kill one of three brokers; writes and commits go on."""
    cluster.kill(node)
    arena.section.note(f"{what} killed")
    written = arena.ledger.counts()["ok"]
    arena.await_all(lambda: arena.ledger.counts()["ok"] > written + 80, "writes without it")
    arena.await_moved(arena.committed())
    arena.section.note("writes and commits go on")
    cluster.restart(node)
    cluster.wait_whole()


def _without_two(cluster: KafkaCluster, arena: Arena) -> None:
    """Kill two of three brokers; nothing is acknowledged until they are back."""
    cluster.kill(1, 2)
    arena.section.note("two of three killed")
    before = len(arena.ledger.sent())
    time.sleep(4.0)
    since = arena.ledger.sent()[before:]
    assert since, "nothing was sent to the remaining broker"
    assert all(send.outcome != "ok" for send in since), "a single replica acknowledged a record"
    cluster.restart(1, 2)
    cluster.wait_whole()
    arena.section.note("whole again")
    arena.await_moved(arena.committed())


def test_a_storm_of_rebalances(
    kafka_cluster: KafkaCluster, arena_on: ArenaOn, attack_run: Run, section: Section
) -> None:
    """A storm of joins, stops and kills loses nothing and repeats less than one record in twenty."""
    wanted, rate = attack_run.sizes.storm_records, attack_run.sizes.storm_rate
    made = Outcome(0, 0, 0, 0, 0)
    for number in count():
        if made.records >= wanted or (number and attack_run.over):
            break
        with arena_on(
            kafka_cluster.address,
            server=True,
            record=True,
            partitions=6,
            replication=3,
            session_timeout_s=_SESSION_S,
            # Three workers share two cores with three brokers: the default window would take ten seconds to drain.
            WRITER__MAX_BATCH_RECORDS="64",
        ) as arena:
            seconds = min(_RECORDS_PER_WORLD, wanted - made.records) / rate
            rng = attack_run.rng(f"storm {number}")
            made += storm(arena, rng, seconds=seconds, kills=0.2, rate=rate, ended=lambda: attack_run.over)
        attack_run.say(f"storm: {made.records:,} records of {wanted:,}, {made.again} of them done twice")
    section.found("joined, left, killed", f"{made.joined}, {made.left}, {made.killed}", bound="1 each")
    section.found("records", made.records, bound=wanted, kept=made.records >= wanted)
    section.found("done twice", f"{made.again} of {made.records}", bound="5 %", kept=made.share < 0.05)
    require("count", made.records >= wanted or attack_run.may_end_early, f"{made.records} records of {wanted}")
    require("P10", made.share < 0.05, f"{made.again} of {made.records} records were done twice\n{made.said}")


def test_partitions_are_added(kafka_cluster: KafkaCluster, arena_on: ArenaOn, attack_run: Run) -> None:
    """Partitions that are added while a worker reads are read from their first record."""
    with arena_on(
        kafka_cluster.address,
        partitions=2,
        replication=3,
        session_timeout_s=_SESSION_S,
        KAFKA__EXTRA='{"topic.metadata.refresh.interval.ms": "1000"}',
        producer={"topic.metadata.refresh.interval.ms": 1_000},
    ) as arena:
        worker = arena.start()
        arena.feeder.start(events(10**9, seed=attack_run.rng("added").randrange(10**6), edits=0.3), rate=80)
        arena.await_committed(40)
        admin = AdminClient({"bootstrap.servers": kafka_cluster.address})
        admin.create_partitions([NewPartitions(arena.world.settings.topics.raw, 6)])[
            arena.world.settings.topics.raw
        ].result(PATIENCE_S)
        arena.section.note("four partitions added")
        arena.await_all(lambda: worker.metric("tickets_assigned_partitions") == 6, "an assignment of all six")
        arena.await_all(lambda: sum(offset > 0 for offset in arena.committed().values()) == 6, "a commit of all six")
        arena.finish()


def test_sigterm_in_a_rebalance(kafka_cluster: KafkaCluster, arena_on: ArenaOn, attack_run: Run) -> None:
    """SIGTERM during a rebalance drains the worker, and the other one goes on."""

    def make(**arguments: object) -> Arena:
        return arena_on(kafka_cluster.address, replication=3, session_timeout_s=_SESSION_S, **arguments)

    attacks.sigterm_in_a_rebalance(make, attack_run.rng("sigterm in a rebalance"), attack_run)


def test_retention_overtakes_the_group(kafka_cluster: KafkaCluster, arena_on: ArenaOn, section: Section) -> None:
    """Records expire while no worker runs: a metric, `status` and `doctor` say how many; the rest is indexed."""
    with arena_on(
        kafka_cluster.address, partitions=1, replication=3, session_timeout_s=_SESSION_S, watched=False
    ) as arena:
        arena.terminate(_read_some(arena, "kept", 10))
        arena.send([ticket(f"later{n}", 1) for n in range(30)])
        raw = arena.world.settings.topics.raw
        admin = AdminClient({"bootstrap.servers": kafka_cluster.address})
        (deleted,) = admin.delete_records([TopicPartition(raw, 0, 30)]).values()
        deleted.result(30)
        worker = arena.start()
        arena.await_all(lambda: arena.committed().get(0, 0) >= 40, "a commit of the rest", promise="P13")
        expired = worker.metric("tickets_expired_records_total", partition="0")
        section.found("expired, by the metric", expired, bound=20, kept=expired == 20)
        require("P13", expired == 20, f"the metric counts {expired:.0f} expired records")
        require("P13", "records 10 to 29 were deleted before they were read" in worker.output(), "the log says nothing")
        terminal = Terminal(arena.world)
        arena.await_all(lambda: "20 record(s) were deleted" in worker.ready()[1], "a warning by /ready", promise="P13")
        noted = worker.metric("tickets_index_expired_records")
        require("P13", noted == 20, f"the index has noted {noted:.0f} expired records")
        rows = terminal.json("status")["partitions"]
        require("P13", [row["expired"] for row in rows] == [20], f"status says {rows}")
        arena.terminate(worker)


def test_a_topic_is_created_again_under_a_frozen_worker(apache_kafka: Kafka, arena_on: ArenaOn) -> None:
    """A worker that wakes at an offset of the recreated topic ends with one line and commits nothing.

    It runs on one broker, because the shipped configuration of a cluster forbids deleting topics.
    """
    with arena_on(apache_kafka.address, partitions=1, replication=1, session_timeout_s=30.0, watched=False) as arena:
        worker = _read_some(arena, "old", 30)
        worker.signal(signal.SIGSTOP)
        raw = arena.world.settings.topics.raw
        admin = AdminClient({"bootstrap.servers": apache_kafka.address})
        admin.delete_topics([raw])[raw].result(30)
        time.sleep(2)
        arena.world.cluster.create_topic(raw, partitions=1, replication=1, config={})
        arena.world.cluster.require_topics([raw])
        arena.world.produce([ticket(f"new{n}", 1) for n in range(100)])
        worker.signal(signal.SIGCONT)
        arena.workers.remove(worker)
        began = calm_clock()
        while worker.running:
            require("P13", calm_clock() - began < 20, "the worker reads on in the new topic")
            time.sleep(0.1)
        code, words = worker.wait(), worker.output()
        require("P13", code == 1, f"it ended with {code}")
        require("P13", f"{raw} was deleted and created again" in words, words[-1500:])
        arena.section.found("said after, s", calm_clock() - began, bound=20)
        # A new index, as the old one belongs to the old topic.
        index = arena.world.settings.index.model_copy(update={"path": arena.world.folder / "index-2"})
        arena.world.settings = arena.world.settings.model_copy(update={"index": index})
        arena.start()
        arena.await_all(lambda: arena.committed().get(0, 0) >= 100, "a commit of the new topic", promise="P13")
        for one in list(arena.workers):
            arena.terminate(one)
        held = arena.world.held()
        require("P13", len(held) == 100, f"{100 - len(held)} of 100 records of the new topic were skipped")


def test_batches_that_unpack_to_hundreds_of_megabytes(apache_kafka: Kafka, arena_on: ArenaOn, attack_run: Run) -> None:
    """A topic as declared refuses the bombs; the worker stays below its bound and reads all sound batches."""
    _bombed(apache_kafka, arena_on, attack_run, declared_options())


def test_the_attack_catches_a_topic_that_stores_what_producers_compress(
    apache_kafka: Kafka, arena_on: ArenaOn, attack_run: Run
) -> None:
    """On a topic that stores compressed batches the worker exceeds its bound."""
    with pytest.raises(BrokenError) as broken:
        _bombed(apache_kafka, arena_on, attack_run, DEFAULTS)
    assert broken.value.promise == "P7", broken.value


def _bombed(kafka: Kafka, arena_on: ArenaOn, run: Run, options: Mapping[str, str]) -> None:
    compressed_batches(partial(arena_on, kafka.address), run.rng("bombs"), options)


def _read_some(arena: Arena, prefix: str, count: int) -> WorkerProcess:
    """A worker that has read `count` tickets."""
    worker = arena.start()
    arena.send([ticket(f"{prefix}{n}", 1) for n in range(count)])
    arena.await_committed(count)
    return worker
