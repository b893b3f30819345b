"""Trials of repairs: on a trimmed log, without one of the workers' settings, and with an implausible surplus."""

import json
from random import Random
from typing import Any, Final

import msgspec
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from core.contract import record_key
from synthetic.tickets import SyntheticRecord
from tests.contracts.digest import contents
from tests.e2e.world import assert_same
from tests.faults.arena import Arena, MakeArena
from tests.faults.oracle import require
from tests.faults.tickets import record, ticket
from tests.rigs.kafka import start_kafka

_GOOD: Final = 60
#: A plausible number out of 60, so that only the trimmed log forbids the repair.
_EXPIRED: Final = 15
_STRANGERS: Final = 40


def repair_of_a_trimmed_log(make: MakeArena, rng: Random) -> None:
    """`reconcile --repair` on a log whose first records have expired deletes none of their tickets."""
    del rng
    with (
        start_kafka() as kafka,
        make(brokers=kafka.address, watched=False, partitions=1, session_timeout_s=6.0) as arena,
    ):
        before = _indexed(arena, [ticket(f"r{n}", 1) for n in range(_GOOD)])
        admin = AdminClient({"bootstrap.servers": kafka.address})
        (trimmed,) = admin.delete_records([TopicPartition(arena.world.settings.topics.raw, 0, _EXPIRED)]).values()
        trimmed.result(30)
        report = _repair(arena, before, code=0)
        require("P14", report["expired"] == _EXPIRED, f"it counts {report['expired']} expired records")
        require("P14", f"--delete-surplus {_EXPIRED}" in report["refused"], "it doesn't say what it refused")


def repair_with_a_setting_missing(make: MakeArena, rng: Random) -> None:
    """`reconcile --repair` without a setting that the workers had is refused, as no record would be valid."""
    del rng
    with make(watched=False, CONTRACT__VERSION_SOURCE="updated_at") as arena:
        before = _indexed(arena, [_unversioned(n) for n in range(_GOOD)])
        _repair(
            arena,
            before,
            code=2,
            words="TICKETS_CONTRACT__VERSION_SOURCE is version here",
            CONTRACT__VERSION_SOURCE="version",
        )


def repair_of_a_large_surplus(make: MakeArena, rng: Random) -> None:
    """`reconcile --repair` deletes no ticket if 40 of 100 aren't in the log: it may be another log."""
    del rng
    with make(watched=False) as arena:
        _indexed(arena, [ticket(f"r{n}", 1) for n in range(_GOOD)])
        like = arena.world.log()[0]
        strangers = [
            msgspec.structs.replace(like, key=record_key("acme", f"s{n}"), value=ticket(f"s{n}", 1).value)
            for n in range(_STRANGERS)
        ]
        index = arena.open_index()
        index.write(arena.world.points(strangers))
        before = contents(index)
        index.close()
        report = _repair(arena, before, code=1)
        require("P14", f"--delete-surplus {_STRANGERS}" in report["refused"], "it doesn't say what it refused")


def rebuild_from_an_empty_topic(make: MakeArena, rng: Random) -> None:
    """`rebuild` from a topic of another name, or one that was created again, doesn't replace a good index."""
    del rng
    with make(watched=False) as arena:
        before = _indexed(arena, [ticket(f"r{n}", 1) for n in range(_GOOD)])
        empty = f"{arena.world.settings.topics.raw}-empty"
        arena.world.cluster.create_topic(empty, partitions=1, replication=1, config={})
        done = arena.run("ticketstream", "rebuild", "--new-settings", code=2, promise="P14", TOPICS__RAW=empty)
        require("P14", f"--accept-missing {_GOOD}" in done.stderr, f"it says {done.stderr}")
        assert_same(_contents(arena), before)


def _unversioned(number: int) -> SyntheticRecord:
    event = msgspec.json.decode(ticket(f"r{number}", 1).value or b"")
    del event["version"]
    event["updated_at"] = 1_700_000_000_000  # the version: not in the future in any time zone
    return record(record_key("acme", f"r{number}"), msgspec.json.encode(event))


def _indexed(arena: Arena, records: list[SyntheticRecord]) -> dict[str, Any]:
    """The contents of the index after a worker has written `records` and ended."""
    worker = arena.start()
    arena.send(records)
    arena.await_committed(len(records))
    arena.terminate(worker)
    return _contents(arena)


def _contents(arena: Arena) -> dict[str, Any]:
    index = arena.open_index()
    try:
        return contents(index)
    finally:
        index.close()


def _repair(arena: Arena, before: dict[str, Any], *, code: int, words: str = "", **settings: str) -> dict[str, Any]:
    """Repair without confirmation, require that the index is unchanged, and return the report, if any."""
    done = arena.run("ticketstream", "reconcile", "--repair", "--yes", "--json", code=code, promise="P14", **settings)
    require("P14", words in done.stderr, f"it says {done.stderr}")
    after = _contents(arena)
    lost = len(before) - len(after)
    arena.section.found("points that a repair deleted", lost, bound=0, kept=not lost)
    require("P14", not lost, f"a repair deleted {lost} points")
    assert_same(after, before)
    return dict(json.loads(done.stdout)) if done.stdout else {}
