"""docs/reliability.md names every mutant with their number, and attacks that exist."""

import re
from pathlib import Path

from tests.faults.attacks import ATTACKS
from tests.faults.mutants import MUTANTS
from tests.faults.probes import PROBES
from tests.faults.trials import TRIALS

_TEXT = Path("docs/reliability.md").read_text()
_PROMISES = [line for line in _TEXT.splitlines() if line.startswith(("| P", "| no "))]


def test_every_mutant_is_named_and_counted() -> None:
    """The column of mutants names all of them, and the figure is their number."""
    column = " ".join(line.split("|")[3] for line in _PROMISES)
    assert set(re.findall(r"`(\w+)`", column)) == set(MUTANTS)
    assert f"| {len(MUTANTS)} of {len(MUTANTS)} |" in _TEXT


def test_every_named_attack_exists() -> None:
    """The column of attacks names every trial, and only functions that exist."""
    column = " ".join(line.split("|")[2] for line in _PROMISES)
    named = set(re.findall(r"`([a-z_]+)`", column))
    assert named <= set(TRIALS) | set(PROBES) | set(ATTACKS)
    assert {*TRIALS, *PROBES} - named == set()
