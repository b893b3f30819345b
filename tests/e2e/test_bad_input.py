"""Records at the edge of the contract and beyond, through a broker and a worker."""

import os
from pathlib import Path

from connectors.kafka.producer import Outgoing, open_sender
from tests.bad_input.generator import hit, records
from tests.e2e.world import WorkerProcess, World
from tests.oracle import broken, fold

#: A few hundred in every run; a share of what a long run asks of the boundary alone.
COUNT = max(400, int(os.environ.get("TICKETS_TEST_BAD_RECORDS", "0")) // 100)


def test_the_dead_letters_are_exactly_the_bad_records(tansu: str, tmp_path: Path) -> None:
    """Each once, with key, bytes and headers as they came; the index is the fold of the others; no text is logged."""
    world = World(tansu, tmp_path)
    raw = world.settings.topics.raw
    sender = open_sender(world.settings.kafka)
    sender.send([Outgoing(raw, record.key, record.value, record.headers) for record in records(COUNT, seed=31)])
    sender.close()
    world.produced = COUNT
    with WorkerProcess(world) as worker:
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.words()
        assert not hit(worker.words())
    log = world.log()
    assert len(log) == COUNT
    wanted = {(r.origin.partition, r.origin.offset): (r.key, r.value, r.headers) for r in broken(log)}
    found = {}
    for letter in world.letters():
        about = {name: value for name, value in letter.headers if name.startswith("dlq-")}
        place = (int(about["dlq-partition"]), int(about["dlq-offset"]))
        assert place not in found, "a letter comes once"
        assert not hit(about["dlq-reason"].decode())
        found[place] = (letter.key, letter.value, tuple(p for p in letter.headers if not p[0].startswith("dlq-")))
    assert found == wanted
    assert world.held() == {key: (expected.version, expected.deleted) for key, expected in fold(log).items()}
