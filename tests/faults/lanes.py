"""Runs attacks in parallel, because most of an attack is waiting.

The first test that needs a result starts all attacks; each test waits for its own.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any, Final

from msgspec import Struct

from tests.faults.arena import Arena
from tests.faults.attacks import ATTACKS
from tests.faults.kills import Attack
from tests.faults.mutants import MUTANTS
from tests.faults.probes import PROBES
from tests.faults.report import Section
from tests.faults.sizes import Run
from tests.faults.trials import TRIALS, Trial

#: For a machine of two cores.
_LANES: Final = 3


class Outcome(Struct):
    """The result of an attack: its error, if any, and its section of the report."""

    error: BaseException | None
    took_s: float
    section: Section

    def report_to(self, section: Section) -> None:
        """Copy its report to `section`, and raise its error."""
        section.events, section.findings = self.section.events, self.section.findings
        section.found("took, s", self.took_s)
        if self.error is not None:
            raise self.error


class Lanes:
    """Attacks in parallel lanes, from construction to `close`."""

    def __init__(self, names: Sequence[str], *, brokers: str, folder: Path, run: Run) -> None:
        self._brokers = brokers
        self._folder = folder
        self._run = run
        self._pool = ThreadPoolExecutor(_LANES, thread_name_prefix="lane")
        self._outcomes: dict[str, Future[Outcome]] = {name: self._pool.submit(self._attempt, name) for name in names}

    def result(self, name: str) -> Outcome:
        """Wait for the result of an attack."""
        return self._outcomes[name].result()

    def close(self) -> None:
        """Drop the attacks that haven't begun, and wait for the others."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _attempt(self, name: str) -> Outcome:
        section, rng = Section(name, ""), self._run.rng(name)
        mutant = name if name in MUTANTS else ""
        made = 0

        def make(*, brokers: str = self._brokers, **arguments: Any) -> Arena:
            nonlocal made
            made += 1
            folder = self._folder / name / str(made)
            return Arena(brokers, folder, section, rng, mutant=mutant, own_process=self._run.soak, **arguments)

        began = time.monotonic()
        error: BaseException | None = None
        try:
            trial = MUTANTS[name].trial if mutant else name
            if trial in PROBES:
                PROBES[trial].run(section, mutant=mutant)
            else:
                _attack(trial)(make, rng, self._run)
        except BaseException as raised:  # noqa: BLE001 - its test raises it
            error = raised
        return Outcome(error, time.monotonic() - began, section)


def _attack(name: str) -> Attack:
    if name in ATTACKS:
        return ATTACKS[name]
    return _short(TRIALS[name])


def _short(trial: Trial) -> Callable[[Callable[..., Arena], Random, Run], None]:
    return lambda make, rng, _run: trial(make, rng)
