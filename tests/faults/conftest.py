"""One run of the attacks: its seed, its report, and lanes, as most of an attack is waiting."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.arena import Arena
from tests.faults.lanes import Lanes
from tests.faults.report import REPORT, Report, Section
from tests.faults.sizes import Run

_RUN = Run()
_REPORT = Report(_RUN.seed)


@pytest.fixture(scope="session")
def attack_run() -> Run:
    """Sizes, seed and clock of this run; the clock starts when the first attack asks."""
    _RUN.begin()
    return _RUN


@pytest.fixture(scope="session")
def lanes(
    request: pytest.FixtureRequest, tansu: str, tmp_path_factory: pytest.TempPathFactory, attack_run: Run
) -> Iterator[Lanes]:
    """Every attack that the tests of this session name, under way."""
    specs = (getattr(item, "callspec", None) for item in request.session.items)
    names = [spec.params["attack"] for spec in specs if spec is not None and "attack" in spec.params]
    opened = Lanes(names, brokers=tansu, folder=tmp_path_factory.mktemp("attacks"), run=attack_run)
    yield opened
    opened.close()


@pytest.fixture
def section(request: pytest.FixtureRequest) -> Iterator[Section]:
    """This test's part of the report."""
    about = (getattr(request.function, "__doc__", None) or "").strip().splitlines()
    made = _REPORT.section(request.node.name.removeprefix("test_"), about[0] if about else "")
    yield made
    failed = getattr(request.node, "failed", None)
    made.ended(failed)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    yield
    if call.when == "call" and call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
        value = call.excinfo.value  # some say nothing, such as a timeout
        item.failed = (str(value) or repr(value)).splitlines()[0][:400]  # type: ignore[attr-defined]


def pytest_report_header() -> str:
    """The seed, where one looks for it when a run fails."""
    return f"faults: seed {_RUN.seed}; make faults SEED={_RUN.seed} makes the same choices again"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The report, to its file always, and to the screen where it was asked for."""
    if _REPORT.sections:
        _REPORT.write()
        if os.environ.get("TICKETS_TEST_REPORT"):
            terminalreporter.write_line(_REPORT.text())
        terminalreporter.write_line(f"faults: seed {_RUN.seed}, report in {REPORT}")


@pytest.fixture
def arena_on(tmp_path: Path, section: Section, attack_run: Run, request: pytest.FixtureRequest) -> Callable[..., Arena]:
    """Makes an arena on a broker's address, of this test's choices."""
    rng = attack_run.rng(request.node.name)
    made = 0

    def make(brokers: str, **arguments: Any) -> Arena:
        nonlocal made
        made += 1
        return Arena(brokers, tmp_path / str(made), section, rng, own_process=attack_run.soak, **arguments)

    return make
