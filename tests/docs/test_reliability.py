"""docs/reliability.md names all mutants and their number, and existing attacks for each promise and figure."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.faults.attacks import ATTACKS
from tests.faults.memory import MODEL_CAP_MIB
from tests.faults.mutants import MUTANTS
from tests.faults.probes import PROBES
from tests.faults.trials import TRIALS

_TEXT: Final = Path("docs/reliability.md").read_text()
_PROMISES: Final = [line for line in _TEXT.splitlines() if line.startswith(("| P", "| no "))]
#: Rows of the table of every run's figures.
_FIGURES: Final = _TEXT.split("| figure | last | bound | by |")[1].split("\n\n")[0].splitlines()[2:]
#: Tests that are not attacks, such as those on Apache Kafka.
_TESTS: Final = {
    name
    for file in Path("tests/faults").glob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
}
_ATTACKS: Final = {*TRIALS, *PROBES, *ATTACKS, *_TESTS}


def _named(rows: list[str], column: int) -> list[set[str]]:
    """The names in a column of each row; paths are left out."""
    return [set(re.findall(r"`([a-z]\w+)`", row.split("|")[column])) for row in rows]


def test_every_mutant_is_named_and_counted() -> None:
    """The column of mutants names every mutant, and the figure is their number."""
    assert set().union(*_named(_PROMISES, 3)) - _TESTS == set(MUTANTS)
    assert f"| {len(MUTANTS)} of {len(MUTANTS)} |" in _TEXT


def test_every_named_attack_exists() -> None:
    """The column of attacks names every trial, probe and attack, and no other."""
    named = set().union(*_named(_PROMISES, 2))
    assert named <= _ATTACKS
    assert named >= {*TRIALS, *PROBES, *ATTACKS}


@pytest.mark.parametrize("row", _PROMISES, ids=lambda row: row[2:5])
def test_every_promise_names_what_it_rests_on(row: str) -> None:
    """Every promise names an attack or a test file, and a mutant that it catches."""
    assert re.search(r"`\w+`|`tests/", row.split("|")[2])
    assert re.search(r"`\w+`|`tests/", row.split("|")[3])


@pytest.mark.parametrize("row", _FIGURES, ids=lambda row: row[2:30])
def test_every_figure_names_what_asserts_it(row: str) -> None:
    """The last column of every figure names existing attacks or tests."""
    (named,) = _named([row], 4)
    assert named
    assert named <= _ATTACKS


@pytest.mark.parametrize(
    "file",
    [
        "README.md",
        "bench/results/README.md",
        "deploy/compose.yaml",
        "deploy/sizes.yaml",
        "docs/deploy.md",
        "docs/reliability.md",
    ],
)
def test_the_bound_of_memory_is_the_same_everywhere(file: str) -> None:
    """The documented bound of memory is the one that the attack with the default model asserts."""
    assert (
        f"at most {MODEL_CAP_MIB} MiB" in Path(file).read_text()
        or f"bound is {MODEL_CAP_MIB} MiB" in Path(file).read_text()
    )


def test_every_named_file_exists() -> None:
    """Each path in backquotes is a file of the repository, and each module that is run is one."""
    paths = re.findall(r"`((?:tests|deploy|runtime|docs)/[^` ]+)`", _TEXT)
    paths += [f"{module.replace('.', '/')}.py" for module in re.findall(r"`python -m ([\w.]+)`", _TEXT)]
    missing = [path for path in paths if not Path(path).exists()]
    assert len(paths) > 20
    assert missing == []
