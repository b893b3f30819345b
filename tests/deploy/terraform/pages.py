"""`python -m tests.deploy.terraform.pages` plans dev and prod, and writes docs/cost.md and docs/uml again."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.deploy.terraform import cost_page
from tests.deploy.terraform.diagram import UML, found, source
from tests.deploy.terraform.diagrams import PICTURES
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
    plans = _plans()
    cost_page.PAGE.write_text(cost_page.rendered(plans))
    for name, picture in PICTURES.items():
        text = source(picture(found(plans["prod"])))
        (UML / f"{name}.puml").write_text(text)
        (UML / f"{name}.svg").write_bytes(draw(text))
