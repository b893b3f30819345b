"""Pytest plug-in of the attacks: one seed and one report, though the tests may run in several processes.

The process that starts the others chooses the seed, gathers their parts of the report, and writes it.
"""

import os
from typing import Any, Final

import pytest

from tests.faults.report import REPORT_FILE, Report, Section
from tests.faults.sizes import Run

RUN: Final = Run()
REPORT: Final = Report(RUN.seed)

_SEED: Final = "attacks_seed"
_SECTIONS: Final = "attacks_sections"


def pytest_configure_node(node: Any) -> None:
    """Give a process of pytest-xdist the seed."""
    node.workerinput[_SEED] = RUN.seed


def pytest_configure(config: pytest.Config) -> None:
    """Take the seed, in such a process."""
    RUN.seed = REPORT.seed = getattr(config, "workerinput", {}).get(_SEED, RUN.seed)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over this process's part of the report."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_SECTIONS] = [section.packed() for section in REPORT.sections]


def pytest_testnodedown(node: Any) -> None:
    """Take over that part."""
    for packed in getattr(node, "workeroutput", {}).get(_SECTIONS, []):
        REPORT.sections.append(Section.unpacked(packed))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write the report, and show it if `TICKETS_TEST_REPORT` is set."""
    if REPORT.sections:
        REPORT.write()
        if os.environ.get("TICKETS_TEST_REPORT"):
            terminalreporter.write_line(REPORT.text())
        terminalreporter.write_line(f"faults: seed {RUN.seed}, report in {REPORT_FILE}")
