"""The functions, the user pool and the REST API, applied by the real provider to ministack with IAM enforced.

ministack runs functions of the runtime provided.al2023 as processes, with the credentials of their roles. So they run
under Python 3.13 and AWS's own runtime client, which a small `bootstrap` starts on the repository's sources;
tests/lambdas/zips tests that the zips hold all that they need.
"""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from lambdas.build import CACHE, ROOT, find_python, install
from lambdas.contents import FUNCTIONS
from tests.deploy.terraform.emulators import Emulator, start_ministack
from tests.deploy.terraform.tool import Root, Tool
from tests.deploy.terraform.workspace import ACCOUNT, Workspace

PREFIX: Final = "trial-"
_MODULES: Final = "terraform/modules"
_BOOTSTRAP: Final = """#!/bin/sh
export PYTHONPATH={path} PYTHONDONTWRITEBYTECODE=1
exec {python} -m awslambdaric "$_HANDLER"
"""
_KEY: Final = "0123456789abcdefghijklmnop"
#: ministack has no VPC links: the API calls the stand-in of the RAG service itself.
_NO_LINK: Final = """
locals {
  connection = { type = "INTERNET", id = "" }
}
"""


class Trial(Struct, frozen=True):
    """The applied modules."""

    emulator: Emulator
    root: Root
    outputs: Mapping[str, Any]

    def url(self, path: str) -> str:
        """The URL of a path of the API. The emulator serves it under its own address."""
        api, stage = self.outputs["url"].removeprefix("https://").split("/")[0].split(".")[0], "live"
        return f"{self.emulator.url}/restapis/{api}/{stage}/_user_request_{path}"


@contextmanager
def applied(tool: Tool, folder: Path, *, rag_url: str, brokers: str) -> Iterator[Trial]:
    """Apply the modules until the end of the `with`. The emulator is gone with everything in it."""
    workspace = Workspace.copy(tool, folder / "deploy")
    _write_zips(workspace.folder / "terraform" / "zips")
    workspace.change(f"{_MODULES}/lambdas/main.tf", '"python3.13"', '"provided.al2023"')
    workspace.write(f"{_MODULES}/api/link.tf", _NO_LINK)
    # ministack takes a key without a value for an empty one; API Gateway makes a value.
    workspace.change(
        f"{_MODULES}/api/programs.tf", '  description = "Counts', f'  value       = "{_KEY}"\n  description = "Counts'
    )
    trial = workspace.folder / "terraform" / "trial"
    trial.mkdir()
    (trial / "main.tf").write_text(Path(__file__).with_name("trial.tf").read_text())
    workspace.emulated("trial")
    with start_ministack(folder, enforce=True) as emulator:
        root = workspace.root("trial", endpoint=emulator.url)
        result = root.init()
        assert result.code == 0, result.out
        variables = {"account_id": ACCOUNT, "endpoint": emulator.url, "rag_url": rag_url, "brokers": brokers}
        result = root.apply(variables)
        assert result.code == 0, result.errors()
        outputs = root.show()["values"]["outputs"]
        yield Trial(emulator, root, {name: each["value"] for name, each in outputs.items()})


def _write_zips(folder: Path) -> None:
    """A zip for each function that only has a bootstrap."""
    libraries = [install("x86_64"), install("x86_64", ROOT / "requirements" / "lambda-runtime.txt", CACHE), ROOT]
    text = _BOOTSTRAP.format(path=":".join(map(str, libraries)), python=find_python())
    for name in FUNCTIONS:
        info = zipfile.ZipInfo("bootstrap")
        info.external_attr = 0o755 << 16
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            archive.writestr(info, text)
