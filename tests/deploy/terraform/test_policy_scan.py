"""Every finding of the policy scan is fixed, or excused beside the resource."""

import json
from pathlib import Path

import pytest

from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.policy_scan import called_modules, scan_plan, scan_templates, suppressions
from tests.deploy.terraform.table import Table
from tests.deploy.terraform.workspace import DEPLOY

pytestmark = pytest.mark.usefixtures("checkov")


def test_every_finding_is_explained(
    plans: dict[str, Planned], hosted_models: Planned, tmp_path: Path, table: Table
) -> None:
    """Every finding of checkov in a plan has a suppression, and no suppression of a planned module is unused."""
    plans = plans | {"hosted models": hosted_models}
    called = {name for each in plans.values() for name in called_modules(each.content["configuration"]["root_module"])}
    written = suppressions(DEPLOY / "terraform" / "modules" / name for name in called)
    seen: set[tuple[str, str]] = set()
    for environment, planned in plans.items():
        scan = scan_plan(planned.content, tmp_path)
        found = {(each.rule, each.resource) for each in scan.failed}
        unexplained = [each for each in scan.failed if (each.rule, each.resource) not in written]
        table.row("policy scan: passed", environment, scan.passed)
        table.row("policy scan: excused", environment, len(found & set(written)))
        table.row("policy scan: unexplained", environment, len(unexplained))
        assert scan.passed > 30
        assert unexplained == []
        seen |= found
    assert sorted(set(written) - seen) == []


def test_no_secret_is_in_the_files() -> None:
    """No file under deploy/ holds a key, password or token."""
    assert scan_templates(DEPLOY).failed == []


@pytest.mark.thorough  # one more scan of a whole plan
def test_an_open_bucket_and_an_unencrypted_secret_are_found(plans: dict[str, Planned], tmp_path: Path) -> None:
    """The scan finds an open bucket, and secrets without our key."""
    text = json.dumps(plans["dev"].content)
    broken = json.loads(text.replace('"block_public_acls": true', '"block_public_acls": false'))
    (secrets,) = (
        each
        for each in broken["configuration"]["root_module"]["module_calls"]["ticketstream"]["module"]["module_calls"][
            "secrets"
        ]["module"]["resources"]
    )
    del secrets["expressions"]["kms_key_id"]
    found = {(each.rule, each.resource) for each in scan_plan(broken, tmp_path).failed}
    assert ("CKV_AWS_53", "aws_s3_bucket_public_access_block.this") in found
    assert ("CKV_AWS_149", "aws_secretsmanager_secret.this") in found
