"""Decompression bombs: batches that unpack to far more than their size, and a worker's memory while it reads them.

`python -m tests.faults.bombs [MODEL]` measures topics as declared, and topics that store compressed batches.
"""

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported, not declared
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from connectors.kafka.options import producer_options
from connectors.kafka.topics import load_topics
from core.contract import record_key
from core.topic_settings import TopicSettings
from synthetic.tickets import SyntheticRecord, events
from tests.faults.arena import Arena, MakeArena
from tests.faults.crowd import CAP_MIB, LOOK_S
from tests.faults.oracle import require
from tests.faults.report import Report
from tests.faults.tickets import ticket
from tests.rigs.calm import calm_clock
from tests.rigs.kafka import start_kafka

_PARTITIONS: Final = 4
#: Sound records for each codec.
_SOUND: Final = 50
#: UNKNOWN: the batch didn't fit the broker's heap either.
_REFUSALS: Final = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.UNKNOWN}
_PATIENCE_S: Final = 120.0


class Bomb(Struct, frozen=True):
    """A batch of `records` values of `size` spaces; with codec none, a batch for each, and sound tickets if `sound`."""

    codec: str
    records: int
    size: int
    sound: bool = False


#: Options of a topic that was created without our declaration.
DEFAULTS: Final = {"compression.type": "producer"}
#: About the most that a batch of a megabyte can hold: snappy packs 20 to 1, LZ4 250 to 1, gzip 1,000 to 1.
BOMBS: Final = (
    Bomb("snappy", 20, 990_000),
    Bomb("lz4", 200, 990_000),
    Bomb("gzip", 400, 990_000),
    Bomb("zstd", 1, 110 * 1024 * 1024),
)


#: Below the client's limit for an unpacked batch of zstd; many fit into one fetch.
_SMALL: Final = Bomb("zstd", 1, 20 * 1024 * 1024)
_PLAIN: Final = Bomb("none", 600, 990_000)
_MANY: Final = Bomb("gzip", 600, 990_000)
_LONG: Final = Bomb("none", 40, 980_000, sound=True)
#: Sound tickets in large batches of zstd.
_TICKETS: Final = 3_000


def declared_options() -> dict[str, str]:
    """The options with which the raw topic is declared, for one broker."""
    (raw,) = (spec for spec in load_topics(None) if spec.name == TopicSettings().raw)
    return {**raw.config, "min.insync.replicas": "1"}


def compressed_batches(make: MakeArena, rng: Random, options: Mapping[str, str]) -> None:
    """Send bombs of every codec to each partition, among sound batches, all of which must take effect.

    Raises:
        BrokenError: a worker exceeds its memory limit, or a sound batch has no effect.
    """
    with make(watched=False, partitions=_PARTITIONS, session_timeout_s=6.0) as arena:
        set_options(arena, options)
        worker = arena.start()
        arena.await_assigned(1)
        taken = {bomb.codec: send_bomb(arena, bomb, partition) for partition, bomb in enumerate(BOMBS)}
        arena.section.found("bombs that the broker takes", sum(taken.values()), bound=0, kept=not any(taken.values()))
        sound = list(events(_SOUND * len(BOMBS), seed=rng.randrange(10**6)))
        for number, bomb in enumerate(BOMBS):
            _send_sound(arena, bomb.codec, sound[number * _SOUND :][:_SOUND])
        _await_read(arena)
        peak = arena.record_peak_memory(worker)
        arena.section.found("peak memory, MiB", round(peak), bound=CAP_MIB, kept=peak <= CAP_MIB)
        require("P7", worker.running, "the worker has ended")
        require("P7", peak <= CAP_MIB, f"{peak:.0f} MiB, with batches that unpack to more than their topic may hold")
        arena.finish()


def set_options(arena: Arena, options: Mapping[str, str]) -> None:
    """Give the raw topic these options."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, arena.world.settings.topics.raw)
    resource.incremental_configs = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in options.items()
    ]
    admin = AdminClient({"bootstrap.servers": arena.world.settings.kafka.brokers})
    admin.incremental_alter_configs([resource])[resource].result(_PATIENCE_S)


def send_bomb(arena: Arena, bomb: Bomb, partition: int) -> bool:
    """Send `bomb` and return whether the broker accepts any of it."""
    producer, errors = _producer(arena, bomb.codec), list[KafkaError | None]()
    value = b" " * bomb.size
    for number in range(bomb.records):
        if bomb.sound:
            value = ticket(f"long{number}", 1, body="The kettle is broken. " * (bomb.size // 22)).value or b""
        producer.produce(
            arena.world.settings.topics.raw,
            value,
            record_key("acme", "bomb"),
            partition=partition,
            on_delivery=lambda error, _message: errors.append(error),
        )
    assert producer.flush(_PATIENCE_S) == 0, "no answer"
    refused = [error for error in errors if error is not None]
    said = {error.code() for error in refused}
    assert said <= _REFUSALS, refused[:1]
    return len(refused) < bomb.records


def _send_sound(arena: Arena, codec: str, sound: Sequence[SyntheticRecord]) -> None:
    """Send tickets, compressed by the producer."""
    producer = _producer(arena, codec)
    for one in sound:
        producer.produce(arena.world.settings.topics.raw, one.value, one.key, headers=list(one.headers))
    assert producer.flush(_PATIENCE_S) == 0, "no answer"


def _producer(arena: Arena, codec: str) -> Producer:
    """A producer that sends its records as one batch."""
    large: dict[str, Any] = {
        "message.max.bytes": 10**9,
        "batch.size": 10**6 if codec == "none" else 2 * 10**9,
        "queue.buffering.max.kbytes": 2 * 10**6,
        "linger.ms": 1_000,
        "compression.type": codec,
        "retries": 0,
        "enable.idempotence": False,
        "message.timeout.ms": int(_PATIENCE_S * 1_000),
    }
    options = producer_options(arena.world.settings.kafka)
    options.pop("delivery.timeout.ms")
    return Producer(options | large)


def _await_read(arena: Arena) -> None:
    """Wait until the group has committed everything."""
    began, ends = calm_clock(), _ends(arena)
    while any(arena.committed().get(partition, 0) < end for partition, end in ends.items()):
        for worker in arena.workers:
            require("P7", worker.running, f"the worker has ended: {worker.output()[-500:]}")
        require("P7", calm_clock() - began < _PATIENCE_S, f"the stream stands at {arena.committed()} of {ends}")
        time.sleep(LOOK_S)


def _ends(arena: Arena) -> dict[int, int]:
    lags = arena.world.cluster.lag(arena.world.settings.topics.raw, arena.world.settings.kafka.group)
    return {lag.partition: lag.end for lag in lags}


def _main() -> None:
    """Print a table of the batches that the broker accepts and the memory of a worker (by default with hashing)."""
    model = (sys.argv[1:] or ["hashing"])[0]
    table = Table("topic", "sent", "unpacked, MiB", "taken", "peak, MiB", "seconds")
    report = Report(0)
    loads = {"nothing": (), "plain": (_PLAIN,), "long tickets": (_LONG,), **{bomb.codec: (bomb,) for bomb in BOMBS}}
    loads |= {"tickets of zstd": (), "600 of gzip": (_MANY,), "one of each": BOMBS, "16 of zstd": (_SMALL,) * 16}
    with tempfile.TemporaryDirectory() as folder, start_kafka() as kafka:
        for topic, options in (("declared", declared_options()), ("as producers compress", DEFAULTS)):
            for number, (name, bombs) in enumerate(loads.items()):
                section = report.section(name, "")
                place = Path(folder) / topic / str(number)
                settings = {"watched": False, "partitions": _PARTITIONS, "session_timeout_s": 6.0}
                with Arena(kafka.address, place, section, Random(1), **settings) as arena:  # type: ignore[arg-type]
                    set_options(arena, options)
                    if name == "tickets of zstd":
                        _send_sound(arena, "zstd", list(events(_TICKETS, seed=1)))
                    row = _measured(arena, bombs, model=model)
                table.add_row(topic, name, *row)
                print(topic, name, *row, flush=True)
    Console().print(table)


def _measured(arena: Arena, bombs: Sequence[Bomb], *, model: str) -> tuple[str, ...]:
    one_partition = len(set(bombs)) < len(bombs)
    taken = sum(send_bomb(arena, bomb, 0 if one_partition else n % _PARTITIONS) for n, bomb in enumerate(bombs))
    began = time.monotonic()
    worker = arena.start(CONTRACT__MAX_RECORD_BYTES="1000000", WRITER__MAX_REJECTED_SHARE="0", MODEL__NAME=model)
    arena.await_assigned(1)
    try:
        _await_read(arena)
        peak = f"{arena.record_peak_memory(worker):.0f}"
    except AssertionError as error:
        peak = str(error)[-300:]
    unpacked = sum(bomb.records * bomb.size for bomb in bombs) / 2**20
    return f"{unpacked:.0f}", f"{taken} of {len(bombs)}", peak, f"{time.monotonic() - began:.0f}"


if __name__ == "__main__":
    _main()
