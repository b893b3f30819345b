"""Root modules of a few of our Terraform modules, applied to an emulator by the real provider."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import Struct

from tests.deploy.terraform.emulators import MINISTACK
from tests.deploy.terraform.tool import Root, Tool, find_tool, resources
from tests.deploy.terraform.workspace import ACCOUNT, DEPLOY, REGION

OTHER_REGION: Final = "us-west-2"
_PROVIDERS: Final = "".join(
    f"""
provider "aws" {{
  {alias}
  region                      = "{region}"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
  max_retries                 = 2

  default_tags {{
    tags = {{ application = "ticketstream" }}
  }}
}}
"""
    for alias, region in (("", REGION), ('alias = "replica"', OTHER_REGION))
)
NAMES: Final = {"account_id": ACCOUNT, "region": REGION}


class Applied(Struct, frozen=True):
    """A root module on an emulator."""

    root: Root

    def outputs(self) -> dict[str, Any]:
        """The values of its outputs."""
        found = self.root.show()["values"].get("outputs", {})
        return {name: one["value"] for name, one in found.items()}

    def changes(self) -> dict[str, list[str]]:
        """The changes of a second plan: actions by address."""
        path = self.root.folder / "second.tfplan"
        result = self.root.plan({}, to=path)
        assert result.code == 0, result.errors()
        changes = self.root.show(path).get("resource_changes", [])
        actions = {one["address"]: one["change"]["actions"] for one in changes}
        return {address: what for address, what in actions.items() if what not in (["no-op"], ["read"])}


@contextmanager
def applied(
    text: str, folder: Path, endpoint: str, prepare: Callable[[Path], None] = lambda _modules: None
) -> Iterator[Applied]:
    """Apply a root module whose `source`s are in ./modules, and destroy it at the end, which must leave nothing.

    `prepare` removes what the emulator doesn't have from the copied modules.
    """
    root = Root(terraform(), folder, endpoint=endpoint)
    folder.mkdir()
    shutil.copytree(DEPLOY / "terraform" / "modules", folder / "modules")
    prepare(folder / "modules")
    (folder / "main.tf").write_text(_PROVIDERS + text)
    for result in (root.init(), root.apply({})):
        assert result.code == 0, result.errors() or result.out
    yield Applied(root)
    result = root.destroy({})
    assert result.code == 0, result.errors()
    assert resources(root.show().get("values", {}).get("root_module", {})) == []


def without_locks(modules: Path) -> None:
    """Leave out the locks of vaults, which ministack doesn't have."""
    place = modules / "vault" / "main.tf"
    text = place.read_text()
    place.write_text(text[: text.index('resource "aws_backup_vault_lock_configuration"')])


def terraform() -> Tool:
    """Terraform; without it the test is skipped, even in CI, as no package registry has it."""
    found = find_tool()
    if found is None:
        pytest.skip("terraform 1.11 or newer is not installed")
    return found


def require_ministack() -> None:
    """Skip the test without ministack, which `make aws-test` installs; fail it in CI."""
    if MINISTACK.exists():
        return
    if os.environ.get("CI") and find_tool() is not None:
        pytest.fail("ministack is not installed; run `make aws-test`")
    pytest.skip("ministack is not installed; run `make aws-test`")


def by_type(plan: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """The values of a plan's resources of a type."""
    return [each["values"] for each in resources(plan["planned_values"]["root_module"]) if each["type"] == kind]
