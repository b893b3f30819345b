"""The attacks at length, in parallel, with 25 kills in every run and a thousand in `make soak`."""

import pytest

from tests.faults.attacks import ATTACKS
from tests.faults.lanes import Lanes
from tests.faults.report import Section


@pytest.mark.parametrize("attack", ATTACKS)
def test_is_withstood(attack: str, lanes: Lanes, section: Section) -> None:
    """The attack loses and invents nothing, and stays within its bounds."""
    section.about = (ATTACKS[attack].__doc__ or "").splitlines()[0]
    lanes.result(attack).report_to(section)
