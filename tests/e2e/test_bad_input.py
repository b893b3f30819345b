"""Bad records are dead-lettered by a worker that reads them from a broker."""

import os
from pathlib import Path

from connectors.kafka.producer import Outgoing, open_sender
from tests.bad_input.generator import hit, records
from tests.bad_input.letters import check_letters
from tests.e2e.world import WorkerProcess, World

#: Records. A long run has more, but only a hundredth of those of `tests/bad_input`.
COUNT = max(400, int(os.environ.get("TICKETS_TEST_BAD_RECORDS", "0")) // 100)


def test_the_dead_letters_are_exactly_the_bad_records(tansu: str, tmp_path: Path) -> None:
    """Every bad record has one dead letter, unaltered; the index is the fold of the others; no text is logged."""
    world = World(tansu, tmp_path)
    raw = world.settings.topics.raw
    sender = open_sender(world.settings.kafka)
    sender.send([Outgoing(raw, record.key, record.value, record.headers) for record in records(COUNT, seed=31)])
    sender.close()
    world.produced = COUNT
    with WorkerProcess(world) as worker:
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.output()
        assert not hit(worker.output())
    log = world.log()
    assert len(log) == COUNT
    check_letters(world, log)
