"""Trials of hostile records in the topic: the stream never stalls, and the dead letters are exact."""

import time
from collections.abc import Sequence
from random import Random
from typing import Final

from confluent_kafka import Producer

from connectors.kafka.options import producer_options
from core.contract import record_key
from tests.e2e.terminal import Terminal
from tests.e2e.world import WorkerProcess
from tests.faults.arena import Arena, MakeArena
from tests.faults.crowd import LOOK_S
from tests.faults.oracle import require
from tests.faults.tickets import record, ticket
from tests.rigs.calm import calm_clock
from tests.rigs.kafka import wire

#: Limit for reading records, in seconds; they are read quickly or never.
_SOON_S: Final = 20.0
_MIB: Final = 1024 * 1024


def unreadable_records(make: MakeArena, rng: Random) -> None:
    """Headers that aren't UTF-8 and a batch that unpacks to 70 MB stop none of the events around them."""
    del rng
    with make(partitions=1, watched=False) as arena:
        worker = arena.start()
        arena.send([ticket("before", 1), ticket("gone", 1)])
        odd = ticket("odd", 1)
        _write(arena, wire.record(0, odd.key, odd.value, [(b"caf\xe9", b"x")]))
        _write(arena, wire.record(0, record_key("acme", "gone"), None, [(b"version", b"2"), (b"\xff", b"")]))
        _write_packed(arena, b" " * 70 * _MIB)
        arena.send([ticket("after", 1)])
        _await_read(arena, worker, 6)
        arena.finish()
        terminal = Terminal(arena.world)
        letters = {letter["origin"].rpartition(":")[2]: letter["code"] for letter in terminal.json("dlq", "list")}
        require("P12", letters == {"3": "unreadable", "4": "unreadable"}, f"the letters are {letters}")
        terminal.run("reconcile")
        terminal.run("rebuild")


def letter_too_large(make: MakeArena, rng: Random) -> None:
    """Records that unpack to 9 and 66 MB get a letter each, cut if necessary; the stream goes on, and so do replays.

    One has its bytes in a header that letters take over.
    """
    del rng
    with make(partitions=1, watched=False) as arena:
        worker = arena.start()
        arena.send([ticket("before", 1)])
        _write_packed(arena, b" " * 9 * _MIB)
        _write_packed(arena, b" " * 66 * _MIB, codec="gzip")
        _write_packed(arena, b"{", codec="gzip", headers=[("dlq-first-seen-ms", b" " * 66 * _MIB)])
        arena.send([record(b"acme/bad", b"{bad", "broken"), ticket("after", 1)])
        _await_read(arena, worker, 6)
        arena.finish()
        whole, cut, _headed = (letter for letter in arena.world.letters() if letter.key == record_key("acme", "bomb"))
        require("P12", whole.value == b" " * 9 * _MIB, "a letter that fits was cut")
        headers = dict(cut.headers)
        require("P12", headers.get("dlq-cut") == b"value", "a letter was cut and doesn't say so")
        require("P12", headers.get("dlq-value-bytes") == str(66 * _MIB).encode(), "a cut letter tells no size")
        arena.run("ticketstream", "dlq", "replay", "--yes", code=0, promise="P12")
        found = len(arena.world.log())
        require("P12", found == 9, f"a letter stopped the replay: the log has {found} records")


def transactions(make: MakeArena, rng: Random) -> None:
    """After committed and aborted transactions the idle stream has no lag."""
    del rng
    with make(partitions=2, watched=False) as arena:
        worker = arena.start()
        raw, kafka = arena.world.settings.topics.raw, arena.world.settings.kafka
        producer = Producer(producer_options(kafka) | {"transactional.id": raw})
        producer.init_transactions(30)
        for number in range(9):
            producer.begin_transaction()
            for one in (ticket(f"x{number}-{n}", 1) for n in range(4)):
                producer.produce(raw, one.value, one.key)
            producer.flush(30)
            (producer.abort_transaction if number % 3 == 2 else producer.commit_transaction)(30)
        arena.await_all(lambda: worker.metric("tickets_acked_total") >= 24, "the acks", promise="harness")
        began, lag = calm_clock(), -1
        while lag and calm_clock() - began < _SOON_S:
            lag = sum(one.lag for one in arena.world.cluster.lag(raw, kafka.group))
            time.sleep(LOOK_S)
        require("P12", lag == 0, f"an idle stream has a lag of {lag}")
        require("P12", worker.metric("tickets_committed_lag") == 0, "an idle worker shows a lag")
        arena.finish()


def _await_read(arena: Arena, worker: WorkerProcess, offset: int) -> None:
    """Wait until everything before `offset` of the one partition is committed."""
    began = calm_clock()
    while arena.committed().get(0, 0) < offset:
        require("P12", worker.running, "a record has ended the worker")
        require("P12", calm_clock() - began < _SOON_S, f"the stream stands at offset {arena.committed().get(0, 0)}")
        time.sleep(LOOK_S)


def _write(arena: Arena, *records: bytes) -> None:
    """Write a batch that an ordinary client can't write."""
    world = arena.world
    wire.produce(world.settings.kafka.brokers, world.settings.topics.raw, 0, wire.batch(records))


def _write_packed(
    arena: Arena, value: bytes, *, codec: str = "zstd", headers: Sequence[tuple[str, bytes]] = ()
) -> None:
    """Write one record in a compressed batch."""
    settings = arena.world.settings
    large = {"message.max.bytes": 10**9, "queue.buffering.max.kbytes": 10**6, "compression.type": codec}
    producer = Producer(producer_options(settings.kafka) | large)
    producer.produce(settings.topics.raw, value, record_key("acme", "bomb"), headers=list(headers))
    assert producer.flush(30) == 0
