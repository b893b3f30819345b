"""`python -m tests.deploy.terraform.pages` plans dev and prod, and writes docs/cost.md and docs/uml again."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.deploy.terraform import cost_page, diagram
from tests.deploy.terraform.tool import find_tool
from tests.deploy.terraform.workspace import VARIABLES, Workspace
from tests.rigs.plantuml import draw


def _plans() -> dict[str, Any]:
    tool = find_tool()
    if tool is None:
        sys.exit("terraform 1.11 or newer is not installed")
    with tempfile.TemporaryDirectory() as place:
        workspace = Workspace.copy(tool, Path(place) / "deploy")
        plans = {}
        for environment, variables in VARIABLES.items():
            root, path = workspace.root(f"envs/{environment}"), Path(place) / f"{environment}.tfplan"
            for result in (root.init(), root.plan(variables, to=path)):
                assert result.code == 0, result.out
            plans[environment] = root.show(path)
    return plans


if __name__ == "__main__":
    found = _plans()
    cost_page.PAGE.write_text(cost_page.rendered(found))
    diagram.SOURCE.write_text(diagram.render(diagram.found(found["prod"])))
    diagram.PICTURE.write_bytes(draw(diagram.SOURCE.read_text()))
