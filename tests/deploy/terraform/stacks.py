"""Stacks on emulators, put up and taken down beside the tests: most of an apply is waiting."""

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
from tests.deploy.terraform.workspace import VARIABLES, Workspace


class Applied(Struct, frozen=True):
    """A stack on an emulator."""

    emulator: Emulator
    root: Root
    state: dict[str, Any]

    def resources(self) -> list[dict[str, Any]]:
        """What was made."""
        return resources(self.state["values"]["root_module"])

    def output(self, name: str) -> Any:
        """An output's value."""
        return self.state["values"]["outputs"][name]["value"]


class Kind(Struct, frozen=True):
    """An emulator, what is left out for it, and what it can't take down again."""

    start: Callable[[Path], AbstractContextManager[Emulator]]
    leave_out: Callable[[Workspace], None]
    variables: dict[str, Any]
    stays: frozenset[str] = frozenset()


KINDS: Final = {
    "moto": Kind(start_moto, for_moto, VARIABLES["dev"] | {"mode": "split"}),
    "ministack": Kind(
        start_ministack, for_ministack, VARIABLES["dev"] | {"mode": "single"}, frozenset({"aws_msk_configuration"})
    ),
}


_DESTROYS: Final = 2


@contextmanager
def put_up(names: list[str], workspace: Workspace, folder: Path, table: Table) -> Iterator[dict[str, Future[Applied]]]:
    """The named stacks, all at once; taken down at the end, which must leave nothing."""
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
    branch.emulated("dev")
    kind.leave_out(branch)
    root = branch.root("envs/dev", endpoint=emulator.url)
    said = root.apply(kind.variables)
    assert said.code == 0, said.errors()
    applied = Applied(emulator, root, root.show())
    table.row("resources applied", emulator.name, len(applied.resources()))
    return applied


def _destroy(kind: Kind, applied: Applied, table: Table) -> None:
    # A busy emulator's answer may come too late: the request is repeated, and what it asks to delete is not found any
    # more. The next destroy looks first; for any other reason there is none.
    for _ in range(_DESTROYS):
        said = applied.root.destroy(kind.variables)
        left = resources(applied.root.show().get("values", {}).get("root_module", {}))
        if {each["type"] for each in left} == kind.stays:
            break
        assert "NotFound" in said.errors(), said.errors()
    else:
        raise AssertionError(said.errors())
    table.row("resources destroyed", applied.emulator.name, len(applied.resources()) - len(left))
