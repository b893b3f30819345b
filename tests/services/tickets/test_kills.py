"""Every version in the table reaches the topic, in order, through kills and outages of the broker.

TICKETS_TEST_KILLS sets their number.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.connectors.kafka.topics import new_topic
from tests.faults.oracle import BrokenError
from tests.rigs.tansu import start_proxied
from tests.services.tickets.brokers import OneBroker
from tests.services.tickets.kills import Attack, attack, show
from tests.services.tickets.mutants import FAILPOINTS, MUTANTS

_KILLS: Final = int(os.environ.get("TICKETS_TEST_KILLS", "6"))


@pytest.fixture(scope="module")
def broker() -> Iterator[OneBroker]:
    """A local broker, which can be cut off."""
    with start_proxied() as (_, proxy):
        yield OneBroker(proxy, Random(os.environ.get("TICKETS_TEST_SEED") or 1))


@pytest.mark.timeout(0)
def test_kills_and_outages_lose_and_reorder_nothing(broker: OneBroker, tmp_path: Path) -> None:
    """Every version of every ticket is in the topic, in order, with the table's value, and each comment once."""
    seed = int(os.environ.get("TICKETS_TEST_SEED") or 1)
    made = Attack(tmp_path, broker, new_topic(broker.address), Random(seed))
    found = attack(made, _KILLS, say=lambda text: print(text, flush=True))
    print(dict(found))
    assert found["events"] > 0
    assert found["outages"] > 0


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_outbox_is_found(mutant: str, broker: OneBroker, tmp_path: Path) -> None:
    """A kill at the right failpoint shows that the mutant loses, reorders or repeats events."""
    made = Attack(tmp_path, broker, new_topic(broker.address), Random(1), mutant=mutant)
    with pytest.raises(BrokenError) as caught:
        show(made, FAILPOINTS[mutant])
    assert caught.value.promise in ("lost", "order", "once", "value", "table")
