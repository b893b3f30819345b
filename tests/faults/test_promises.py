"""Every trial passes on the real pipeline and fails on its mutants."""

import os

import pytest

from tests.faults.lanes import Lanes
from tests.faults.mutants import MUTANTS
from tests.faults.oracle import BrokenError
from tests.faults.probes import PROBES
from tests.faults.report import Section
from tests.faults.trials import LONG, TRIALS

_ABOUT = {name: probe.about for name, probe in PROBES.items()} | {
    name: (trial.__doc__ or "").splitlines()[0] for name, trial in TRIALS.items()
}
#: `make test` runs these elsewhere, or leaves them out for time.
_LEFT_OUT = frozenset[str]() if "TICKETS_TEST_REPORT" in os.environ else {*PROBES, *LONG}


@pytest.mark.parametrize("attack", [name for name in _ABOUT if name not in _LEFT_OUT])
def test_is_kept(attack: str, lanes: Lanes, section: Section) -> None:
    """The real pipeline keeps the promise."""
    section.about = _ABOUT[attack]
    lanes.result(attack).report_to(section)


@pytest.mark.parametrize("attack", [name for name, mutant in MUTANTS.items() if mutant.trial not in _LEFT_OUT])
def test_mutant_is_caught(attack: str, lanes: Lanes, section: Section) -> None:
    """The trial finds that the mutant breaks one of its promises."""
    mutant = MUTANTS[attack]
    section.about = f"A mutant: {(mutant.apply.__doc__ or '').splitlines()[0]}"
    outcome = lanes.result(attack)
    section.found("trial", mutant.trial)
    section.found("caught after, s", outcome.took_s)
    assert outcome.error is not None, f"the mutant {attack} survived {mutant.trial}"
    if not isinstance(outcome.error, BrokenError):
        raise outcome.error
    assert "Traceback" not in str(outcome.error), f"the mutant crashed: {outcome.error}"
    section.found("caught by", str(outcome.error).splitlines()[0][:100])
    assert outcome.error.promise in mutant.promises, f"caught for another reason: {outcome.error}"
