"""Applies and destroys stacks on emulators in the background, because an apply mostly waits."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from tests.deploy.terraform.emulators import Emulator, start_ministack, start_moto
from tests.deploy.terraform.stand_ins import for_ministack, for_moto
from tests.deploy.terraform.table import Table
from tests.deploy.terraform.tool import Root, resources
from tests.deploy.terraform.workspace import SMALL, VARIABLES, Workspace


class Applied(Struct, frozen=True):
    """A stack on an emulator."""

    emulator: Emulator
    root: Root
    state: dict[str, Any]

    def resources(self) -> list[dict[str, Any]]:
        """The applied resources."""
        return resources(self.state["values"]["root_module"])

    def output(self, name: str) -> Any:
        """The value of an output."""
        return self.state["values"]["outputs"][name]["value"]


class Kind(Struct, frozen=True):
    """An emulator, the files to leave out for it, and the resources that it can't destroy."""

    start: Callable[[Path], AbstractContextManager[Emulator]]
    leave_out: Callable[[Workspace], None]
    variables: dict[str, Any]
    stays: frozenset[str] = frozenset()


#: tests/aws applies the functions, the user pool and the REST API, with IAM enforced, and the edge. moto can't read a
#: budget as the provider does.
_DEV: Final = SMALL["dev"] | {"producers": VARIABLES["dev"]["producers"]}
KINDS: Final = {
    "moto": Kind(start_moto, for_moto, _DEV | {"mode": "split"}),
    "ministack": Kind(start_ministack, for_ministack, _DEV | {"mode": "single"}, frozenset({"aws_msk_configuration"})),
}


_DESTROYS: Final = 2


@contextmanager
def put_up(names: list[str], workspace: Workspace, folder: Path, table: Table) -> Iterator[dict[str, Future[Applied]]]:
    """Apply the named stacks in parallel, and destroy them at the end, which must leave nothing."""
    with ExitStack() as emulators, ThreadPoolExecutor(max_workers=len(KINDS)) as pool:
        under_way = {}
        for name in names:
            place = folder / name
            place.mkdir()
            emulator = emulators.enter_context(KINDS[name].start(place))
            under_way[name] = pool.submit(_apply, KINDS[name], workspace.branch(place / "deploy"), emulator, table)
        yield under_way
        ups = {name: future.result() for name, future in under_way.items() if future.exception() is None}
        for ended in [pool.submit(_destroy, KINDS[name], applied, table) for name, applied in ups.items()]:
            ended.result()


def _apply(kind: Kind, branch: Workspace, emulator: Emulator, table: Table) -> Applied:
    branch.emulated("envs/dev")
    kind.leave_out(branch)
    root = branch.root("envs/dev", endpoint=emulator.url)
    result = root.apply(kind.variables)
    assert result.code == 0, result.errors()
    applied = Applied(emulator, root, root.show())
    table.row("resources applied", emulator.name, len(applied.resources()))
    return applied


def _destroy(kind: Kind, applied: Applied, table: Table) -> None:
    # If a busy emulator answers too late, the provider repeats a delete and gets "not found". The next destroy reads
    # the state first. No other failure is tried again.
    for _ in range(_DESTROYS):
        result = applied.root.destroy(kind.variables)
        left = resources(applied.root.show().get("values", {}).get("root_module", {}))
        if {each["type"] for each in left} == kind.stays:
            break
        assert "NotFound" in result.errors(), result.errors()
    else:
        raise AssertionError(result.errors())
    table.row("resources destroyed", applied.emulator.name, len(applied.resources()) - len(left))
