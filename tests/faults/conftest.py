"""Fixtures of the attacks: the run's sizes and seed, the report, and the lanes in which attacks run in parallel."""

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.arena import Arena
from tests.faults.lanes import Lanes
from tests.faults.plugin import REPORT, RUN
from tests.faults.report import Section
from tests.faults.sizes import Run

#: `make test` makes each attack, and runs each mutant, once in this many runs, on average.
_RUNS_PER_ATTACK: Final = 3
_LONG: Final = {"test_attacks.py", "test_kafka.py", "test_promises.py"}


def pytest_report_header() -> str:
    """Print the seed."""
    return f"faults: seed {RUN.seed}; make faults SEED={RUN.seed} makes the same choices again"


@pytest.hookimpl(trylast=True)  # the seed and the marks are there
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out two of three attacks and mutants in the part of `make test` that runs alone; `make faults` runs all.

    The seed chooses them, so that each is run sometimes.
    """
    if config.getoption("markexpr") != "alone":
        return
    kept: set[str] = set()
    for kind, group in groupby(sorted(_attacks(items), key=_kind_of), key=_kind_of):
        names = sorted(item.nodeid for item in group)
        kept.update(RUN.rng(f"{kind} of this run").sample(names, -(-len(names) // _RUNS_PER_ATTACK)))
    left_out = [item for item in _attacks(items) if item.nodeid not in kept]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _attacks(items: list[pytest.Item]) -> list[pytest.Item]:
    return [item for item in items if item.path.name in _LONG and item.path.parent == Path(__file__).parent]


def _kind_of(item: pytest.Item) -> str:
    """The test that has many cases, or the file of those that have one."""
    name, bracket, _case = item.nodeid.partition("[")
    return name if bracket else item.path.name


@pytest.fixture(scope="session")
def attack_run() -> Run:
    """Sizes, seed and clock of this run; the clock starts with the first attack."""
    RUN.begin()
    return RUN


@pytest.fixture(scope="session")
def lanes(
    request: pytest.FixtureRequest, tansu: str, tmp_path_factory: pytest.TempPathFactory, attack_run: Run
) -> Iterator[Lanes]:
    """All attacks that this session's tests name, started."""
    specs = (getattr(item, "callspec", None) for item in request.session.items)
    names = [spec.params["attack"] for spec in specs if spec is not None and "attack" in spec.params]
    opened = Lanes(names, brokers=tansu, folder=tmp_path_factory.mktemp("attacks"), run=attack_run)
    yield opened
    opened.close()


@pytest.fixture
def section(request: pytest.FixtureRequest) -> Iterator[Section]:
    """The test's section of the report."""
    about = (getattr(request.function, "__doc__", None) or "").strip().splitlines()
    made = REPORT.section(request.node.name.removeprefix("test_"), about[0] if about else "")
    yield made
    made.ended(getattr(request.node, "failed", None))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Note the first line of a test's error for its section."""
    yield
    if call.when == "call" and call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
        value = call.excinfo.value  # a timeout's text is empty
        item.failed = (str(value) or repr(value)).splitlines()[0][:400]  # type: ignore[attr-defined]


@pytest.fixture
def arena_on(tmp_path: Path, section: Section, attack_run: Run, request: pytest.FixtureRequest) -> Callable[..., Arena]:
    """Makes arenas on the brokers that it is given, with the random choices of this test."""
    rng = attack_run.rng(request.node.name)
    made = 0

    def make(brokers: str, **arguments: Any) -> Arena:
        nonlocal made
        made += 1
        return Arena(brokers, tmp_path / str(made), section, rng, own_process=attack_run.soak, **arguments)

    return make
