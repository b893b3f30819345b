"""Every trial passes on the pipeline as it is, and fails on each pipeline that was broken on purpose."""

import pytest

from tests.faults.lanes import Lanes
from tests.faults.mutants import MUTANTS
from tests.faults.oracle import BrokenError
from tests.faults.report import Section
from tests.faults.trials import TRIALS


@pytest.mark.parametrize("attack", TRIALS)
def test_is_kept(attack: str, lanes: Lanes, section: Section) -> None:
    """The pipeline as it is keeps the promise."""
    section.about = (TRIALS[attack].__doc__ or "").splitlines()[0]
    lanes.result(attack).tell(section)


@pytest.mark.parametrize("attack", MUTANTS)
def test_mutant_is_caught(attack: str, lanes: Lanes, section: Section) -> None:
    """A pipeline broken on purpose is seen to be broken, in a promise that it breaks."""
    mutant = MUTANTS[attack]
    section.about = f"A mutant: {(mutant.apply.__doc__ or '').splitlines()[0]}"
    outcome = lanes.result(attack)
    section.found("trial", mutant.trial)
    section.found("caught after, s", outcome.took_s)
    assert outcome.error is not None, f"the mutant {attack} has survived {mutant.trial}"
    if not isinstance(outcome.error, BrokenError):
        raise outcome.error
    assert "Traceback" not in str(outcome.error), f"the worker has crashed of how it was broken: {outcome.error}"
    section.found("caught by", str(outcome.error).splitlines()[0][:100])
    assert outcome.error.promise in mutant.promises, f"caught for another reason: {outcome.error}"
