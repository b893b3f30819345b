"""Records at the edge of the contract and beyond, through a broker and a worker."""

import os
from pathlib import Path

from connectors.kafka.producer import Outgoing, open_sender
from tests.bad_input.generator import hit, records
from tests.bad_input.letters import check_letters
from tests.e2e.world import WorkerProcess, World

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
    check_letters(world, log)
