"""The attacks at length, side by side: 25 kills among them in every run, and a thousand under `make soak`."""

import pytest

from tests.faults.attacks import ATTACKS
from tests.faults.lanes import Lanes
from tests.faults.report import Section


@pytest.mark.parametrize("attack", ATTACKS)
def test_is_withstood(attack: str, lanes: Lanes, section: Section) -> None:
    """Nothing is lost, stale, resurrected or invented, the dead letters are exact, and the bounds are kept."""
    section.about = (ATTACKS[attack].__doc__ or "").splitlines()[0]
    lanes.result(attack).tell(section)
