"""Fixtures for all Terraform tests: a copy of the files, a plan of each environment, a stack on each emulator."""

import os
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import Struct

from tests.deploy.terraform.emulators import MINISTACK
from tests.deploy.terraform.hosted_models import write as write_hosted_models
from tests.deploy.terraform.policy_scan import CHECKOV
from tests.deploy.terraform.stacks import KINDS, Applied, put_up
from tests.deploy.terraform.table import Table
from tests.deploy.terraform.tool import Tool, find_tool, resources
from tests.deploy.terraform.workspace import VARIABLES, Workspace

_TABLE: Final = Table()


class Planned(Struct, frozen=True):
    """An environment's plan file and its parsed content."""

    path: Path
    content: dict[str, Any]

    def resources(self, kind: str = "") -> list[dict[str, Any]]:
        """The planned resources, of one type or of all."""
        found = resources(self.content["planned_values"]["root_module"])
        return [each for each in found if not kind or each["type"] == kind]


@pytest.fixture(scope="session")
def table() -> Table:
    """The table that is printed at the end."""
    return _TABLE


@pytest.fixture(scope="session")
def tool() -> Tool:
    """Terraform. No package registry has it, so a test without it is skipped, even in CI."""
    found = find_tool()
    if found is None:
        pytest.skip("terraform 1.11 or newer is not installed")
    return found


@pytest.fixture(scope="package")
def workspace(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """An initialised copy of the shipped files. Tests change branches of it only."""
    made = Workspace.copy(tool, tmp_path_factory.mktemp("terraform") / "deploy")
    for place in ("envs/dev", "envs/prod", "modules/stack"):
        result = made.root(place).init()
        if result.code != 0 and "registry.terraform.io" in result.out and tool.mirror is None:
            pytest.skip("Terraform's AWS provider is not available; set TF_PLUGIN_DIR to a folder that has it")
        assert result.code == 0, result.out
    return made


@pytest.fixture(scope="package")
def plans(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, table: Table) -> dict[str, Planned]:
    """The plan of each environment."""
    made = {}
    for environment, variables in VARIABLES.items():
        path = tmp_path_factory.mktemp("plans") / f"{environment}.tfplan"
        root = workspace.root(f"envs/{environment}")
        result = root.plan(variables, to=path)
        assert result.code == 0, result.errors()
        made[environment] = Planned(path, root.show(path))
        table.row("resources planned", environment, len(made[environment].resources()))
    return made


@pytest.fixture(scope="package")
def hosted_models(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Planned:
    """The plan of the module hosted_models, which no environment calls by default."""
    branch = workspace.branch(tmp_path_factory.mktemp("hosted") / "deploy")
    root = branch.root(write_hosted_models(branch))
    path = root.folder / "trial.tfplan"
    for result in (root.init(), root.plan({}, to=path)):
        assert result.code == 0, result.errors() or result.out
    return Planned(path, root.show(path))


@pytest.fixture(scope="package", autouse=True)
def stacks(
    request: pytest.FixtureRequest, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, table: Table
) -> Iterator[dict[str, Future[Applied]]]:
    """The stacks that this run's tests need; all are applied in the background from the first test on."""
    asked = {name for item in request.session.items for name in _asked(item)}
    names = [name for name in KINDS if name in asked and (name != "ministack" or MINISTACK.exists())]
    with put_up(names, workspace, tmp_path_factory.mktemp("stacks"), table) as under_way:
        yield under_way


@pytest.fixture(scope="package")
def moto(stacks: dict[str, Future[Applied]]) -> Applied:
    """The stack in split mode on moto."""
    return stacks["moto"].result()


@pytest.fixture(scope="package")
def ministack(stacks: dict[str, Future[Applied]]) -> Applied:
    """The stack in single mode on ministack."""
    require(MINISTACK)
    return stacks["ministack"].result()


def require(program: Path) -> None:
    """Skip the test if `program`, which `make tf-test` installs, is missing; fail it in CI."""
    if program.exists():
        return
    reason = f"{program.parent.parent.name} is not installed; run `make tf-test`"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests without an emulator first, while the stacks are applied."""
    places = [place for place, item in enumerate(items) if item.path.is_relative_to(Path(__file__).parent)]
    ours = sorted((items[place] for place in places), key=lambda item: bool({*KINDS} & {*_asked(item)}))
    for place, item in zip(places, ours, strict=True):
        items[place] = item


def _asked(item: pytest.Item) -> tuple[str, ...]:
    return tuple(getattr(item, "fixturenames", ()))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table, if it has rows."""
    if lines := _TABLE.lines():
        terminalreporter.section("terraform")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="package")
def checkov() -> Path:
    """The policy scanner, in its own environment."""
    require(CHECKOV)
    return CHECKOV
