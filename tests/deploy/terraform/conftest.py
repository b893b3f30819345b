"""One copy of the files, one plan of each environment and one stack on each emulator, for all tests of Terraform."""

import os
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import Struct

from tests.deploy.terraform.emulators import MINISTACK
from tests.deploy.terraform.policy_scan import CHECKOV
from tests.deploy.terraform.stacks import KINDS, Applied, put_up
from tests.deploy.terraform.table import Table
from tests.deploy.terraform.tool import Tool, find_tool, resources
from tests.deploy.terraform.workspace import VARIABLES, Workspace

_TABLE: Final = Table()


class Planned(Struct, frozen=True):
    """An environment's plan, on disk and read."""

    path: Path
    content: dict[str, Any]

    def resources(self, kind: str = "") -> list[dict[str, Any]]:
        """What would be made, of one type or of all."""
        found = resources(self.content["planned_values"]["root_module"])
        return [each for each in found if not kind or each["type"] == kind]


@pytest.fixture(scope="session")
def table() -> Table:
    """What is printed at the end."""
    return _TABLE


@pytest.fixture(scope="session")
def tool() -> Tool:
    """Terraform; no registry of packages has it, so it is skipped where it isn't, CI or not."""
    found = find_tool()
    if found is None:
        pytest.skip("there is no terraform here (1.11 or newer)")
    return found


@pytest.fixture(scope="package")
def workspace(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The shipped files with modules and provider brought; tests branch it and leave it as it is."""
    made = Workspace.copy(tool, tmp_path_factory.mktemp("terraform") / "deploy")
    for place in ("envs/dev", "envs/prod", "modules/stack"):
        said = made.root(place).init()
        if said.code != 0 and "registry.terraform.io" in said.out and tool.mirror is None:
            pytest.skip("Terraform's AWS provider can't be had here; TF_PLUGIN_DIR names a folder that has it")
        assert said.code == 0, said.out
    return made


@pytest.fixture(scope="package")
def plans(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, table: Table) -> dict[str, Planned]:
    """Each environment as it would be made."""
    made = {}
    for environment, variables in VARIABLES.items():
        path = tmp_path_factory.mktemp("plans") / f"{environment}.tfplan"
        root = workspace.root(f"envs/{environment}")
        said = root.plan(variables, to=path)
        assert said.code == 0, said.errors()
        made[environment] = Planned(path, root.show(path))
        table.row("resources planned", environment, len(made[environment].resources()))
    return made


@pytest.fixture(scope="package", autouse=True)
def stacks(
    request: pytest.FixtureRequest, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, table: Table
) -> Iterator[dict[str, Future[Applied]]]:
    """The stacks that the tests of this run ask for, under way from the first of them."""
    asked = {name for item in request.session.items for name in _asked(item)}
    names = [name for name in KINDS if name in asked and (name != "ministack" or MINISTACK.exists())]
    with put_up(names, workspace, tmp_path_factory.mktemp("stacks"), table) as under_way:
        yield under_way


@pytest.fixture(scope="package")
def moto(stacks: dict[str, Future[Applied]]) -> Applied:
    """The split stack on moto."""
    return stacks["moto"].result()


@pytest.fixture(scope="package")
def ministack(stacks: dict[str, Future[Applied]]) -> Applied:
    """The stack in one piece on ministack."""
    require(MINISTACK)
    return stacks["ministack"].result()


def require(program: Path) -> None:
    """Skip with a word where a tool that `make tf-test` installs isn't; in CI it must be."""
    if program.exists():
        return
    reason = f"there is no {program.parent.parent.name} here; `make tf-test` brings it"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs no emulator first: the stacks are put up meanwhile."""
    places = [place for place, item in enumerate(items) if item.path.is_relative_to(Path(__file__).parent)]
    ours = sorted((items[place] for place in places), key=lambda item: bool({*KINDS} & {*_asked(item)}))
    for place, item in zip(places, ours, strict=True):
        items[place] = item


def _asked(item: pytest.Item) -> tuple[str, ...]:
    return tuple(getattr(item, "fixturenames", ()))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table, where a run found something."""
    if lines := _TABLE.lines():
        terminalreporter.section("terraform")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="package")
def checkov() -> Path:
    """The policy scanner, in an environment of its own."""
    require(CHECKOV)
    return CHECKOV
