"""Prod backs up every table of the services and every disk of the index, by its tag."""

import json
from typing import Any

from tests.deploy.terraform.conftest import Planned


def _selected(planned: Planned) -> dict[str, set[str]]:
    """The values of the tag `backup` that each plan selects."""
    return {
        each["index"]: {one["value"] for one in each["values"]["selection_tag"] if one["key"] == "backup"}
        for each in planned.resources("aws_backup_selection")
    }


def _tagged(planned: Planned, kind: str) -> list[tuple[dict[str, Any], str]]:
    return [(each, each["values"]["tags_all"].get("backup", "")) for each in planned.resources(kind)]


def test_every_table_and_disk_of_prod_is_selected(plans: dict[str, Planned]) -> None:
    """Tables are backed up every hour and every day, disks every day; the producers' checkpoints are not worth it."""
    selected = _selected(plans["prod"])
    for table, tag in _tagged(plans["prod"], "aws_dynamodb_table"):
        if "module.checkpoints" not in table["address"]:
            assert tag in selected["hourly"] & selected["daily"], table["address"]
    disks = _tagged(plans["prod"], "aws_ebs_volume")
    assert len(disks) == 3
    assert all(tag in selected["daily"] - selected["hourly"] for _, tag in disks)


def test_another_environment_is_not_selected(plans: dict[str, Planned]) -> None:
    """The tags name their environment, so that prod's plans leave dev's tables alone; dev has no backups."""
    assert not plans["dev"].resources("aws_backup_plan")
    selected = set().union(*_selected(plans["prod"]).values())
    assert all(tag not in selected for _, tag in _tagged(plans["dev"], "aws_dynamodb_table"))


def test_a_backup_outlives_its_lock(plans: dict[str, Planned]) -> None:
    """Both vaults are locked, in governance mode, and each plan keeps a backup within the lock's bounds."""
    locks = [each["values"] for each in plans["prod"].resources("aws_backup_vault_lock_configuration")]
    assert len(locks) == len(plans["prod"].resources("aws_backup_vault")) == 2
    for lock in locks:
        assert lock["changeable_for_days"] is None
        for plan in plans["prod"].resources("aws_backup_plan"):
            (rule,) = plan["values"]["rule"]
            kept = rule["lifecycle"][0]["delete_after"]
            assert lock["min_retention_days"] <= kept <= lock["max_retention_days"]


def test_the_role_needs_no_account_that_aws_may_not_send(plans: dict[str, Planned]) -> None:
    """AWS Backup may assume its role for this account, and for one that it doesn't name."""
    (role,) = (each["values"] for each in plans["prod"].resources("aws_iam_role") if "module.backup" in each["address"])
    (statement,) = json.loads(role["assume_role_policy"])["Statement"]
    assert statement["Principal"] == {"Service": "backup.amazonaws.com"}
    assert set(statement["Condition"]) == {"StringEqualsIfExists"}
