"""Every line reaches the topic through kills, freezes and outages, and few lines twice.

TICKETS_TEST_KILLS sets the number of kills.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import httpx
import pytest

from core.topic_settings import TopicSettings
from tests.connectors.kafka.topics import new_topic
from tests.faults.oracle import BrokenError
from tests.rigs.proxy import Proxy
from tests.rigs.tansu import start_proxied
from tests.rigs.waiting import PATIENCE_S, wait_until
from tests.services.producer.child import start_task
from tests.services.producer.kills import Attack, attack, show
from tests.services.producer.mutants import FAILPOINTS, MUTANTS
from tests.services.producer.world import line

_KILLS: Final = int(os.environ.get("TICKETS_TEST_KILLS", "4"))


@pytest.fixture(scope="module")
def broker() -> Iterator[tuple[str, Proxy]]:
    with start_proxied() as opened:
        yield opened


def _topics(broker: tuple[str, Proxy]) -> TopicSettings:
    return TopicSettings(raw=new_topic(broker[0]), dlq=new_topic(broker[0]))


@pytest.mark.timeout(0)
def test_kills_and_outages_lose_nothing(broker: tuple[str, Proxy], tmp_path: Path) -> None:
    """Every line of every file is in the topic, and only lines in flight at a fault are repeated, with equal bytes."""
    seed = int(os.environ.get("TICKETS_TEST_SEED") or 1)
    found = attack(Attack(tmp_path, broker, _topics(broker), Random(seed)), _KILLS)
    print(dict(found))
    assert found["events"] > 0
    assert found["frozen"] > 0


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_producer_is_found(mutant: str, broker: tuple[str, Proxy], tmp_path: Path) -> None:
    """A kill at the right point, or a second task, reveals that the mutant loses or repeats lines."""
    made = Attack(tmp_path, broker, _topics(broker), Random(1), mutant=mutant)
    with pytest.raises(BrokenError) as caught:
        show(made, FAILPOINTS[mutant])
    assert caught.value.promise in ("lost", "once")


def test_the_probes_answer_and_sigterm_ends_the_task(broker: tuple[str, Proxy], tmp_path: Path) -> None:
    """/ready succeeds once the sources are listed, /metrics counts the line, and SIGTERM ends the task with 0."""
    (tmp_path / "in").mkdir()
    task = start_task(tmp_path, broker[0], _topics(broker))

    def ask(path: str) -> httpx.Response:
        return httpx.get(f"{task.url}/{path}", timeout=PATIENCE_S)

    wait_until(lambda: ask("ready").is_success)
    (tmp_path / "in" / "a.jsonl").write_bytes(line(1))
    wait_until(lambda: "tickets_producer_records_total 1.0" in ask("metrics").text)
    assert ask("health").is_success
    assert task.terminate() == 0
