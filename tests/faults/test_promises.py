"""Every trial passes on the pipeline as it is, and fails on each pipeline that was broken on purpose."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.faults.arena import Arena
from tests.faults.mutants import MUTANTS
from tests.faults.oracle import Broken
from tests.faults.report import Section
from tests.faults.sizes import Run
from tests.faults.trials import TRIALS, Trial

Outcomes = dict[str, "Future[tuple[BaseException | None, float, Section]]"]


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest,
    tansu: str,
    tmp_path_factory: pytest.TempPathFactory,
    attack_run: Run,
    lanes: ThreadPoolExecutor,
) -> Outcomes:
    """What came of every trial and mutant that was asked for; they run side by side, and each test takes its own."""
    found: Outcomes = {}
    for item in request.session.items:
        name = getattr(item, "callspec", None) and item.callspec.params.get("attack")  # type: ignore[attr-defined]
        if item.parent is not request.node or not name:
            continue
        trial, mutant = (MUTANTS[name].trial, name) if name in MUTANTS else (TRIALS[name], "")
        folder = tmp_path_factory.mktemp(name)
        run = partial(_attempt, trial, tansu, folder, attack_run.rng(name), mutant)
        found[name] = lanes.submit(run)
    return found


def _attempt(
    trial: Trial, brokers: str, folder: Path, rng: Random, mutant: str
) -> tuple[BaseException | None, float, Section]:
    section = Section(trial.__name__, "")
    made = 0

    def make(**arguments: Any) -> Arena:
        nonlocal made
        made += 1
        return Arena(brokers, folder / str(made), section, rng, mutant=mutant, **arguments)

    began = time.monotonic()
    try:
        trial(make, rng)
    except BaseException as error:  # noqa: BLE001 - the test it belongs to says what it is
        return error, time.monotonic() - began, section
    return None, time.monotonic() - began, section


@pytest.mark.parametrize("attack", TRIALS)
def test_is_withstood(attack: str, outcomes: Outcomes, section: Section) -> None:
    """The pipeline as it is keeps the promise."""
    error, took_s, of_trial = outcomes[attack].result()
    section.about = (TRIALS[attack].__doc__ or "").splitlines()[0]
    section.events, section.findings = of_trial.events, of_trial.findings
    section.found("took, s", took_s)
    if error is not None:
        raise error


@pytest.mark.parametrize("attack", MUTANTS)
def test_mutant_is_caught(attack: str, outcomes: Outcomes, section: Section) -> None:
    """A pipeline broken on purpose is seen to be broken, in the promise that it breaks, in time."""
    mutant = MUTANTS[attack]
    error, took_s, of_trial = outcomes[attack].result()
    section.about = f"A mutant: {(mutant.apply.__doc__ or '').splitlines()[0]}"
    section.events = of_trial.events
    section.found("trial", mutant.trial.__name__)
    section.found("caught after, s", took_s, bound=mutant.budget_s, kept=took_s <= mutant.budget_s)
    assert error is not None, f"the mutant {attack} has survived {mutant.trial.__name__}"
    if not isinstance(error, Broken):
        raise error
    section.found("caught by", str(error).splitlines()[0][:100])
    assert error.promise in mutant.promises, f"caught for another reason: {error}"
    assert took_s <= mutant.budget_s
