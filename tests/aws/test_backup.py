"""Backups of tables and disks are selected, kept and copied as planned, and the documented steps restore a table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from connectors.dynamodb_tables import Tables
from connectors.ticket_store.dynamodb import DynamoTickets
from connectors.ticket_store.dynamodb_outbox import DynamoOutbox
from connectors.ticket_store.tables import HINT
from core.ticket_store import TicketQuery
from tests.aws.commands import commands, run
from tests.aws.roots import OTHER_REGION, Applied, applied, require_ministack, without_locks
from tests.connectors.ticket_store.stores import upsert
from tests.deploy.terraform.emulators import Emulator, start_ministack, start_moto
from tests.deploy.terraform.workspace import ACCOUNT, REGION

pytestmark = pytest.mark.thorough

_PAGE: Final = Path(__file__).parents[2] / "docs" / "deploy-aws.md"
_PREFIX: Final = "ticketstream-test-"
_TICKETS: Final = 60
_KEYS: Final = f"""
module "keys" {{
  source     = "./modules/keys"
  name       = "ticketstream-test"
  account_id = "{ACCOUNT}"
  region     = "{REGION}"
  partition  = "aws"
  purposes   = ["data", "backup"]
}}
"""
_TABLES: Final = f"""
{_KEYS}
module "tables" {{
  source    = "./modules/tables"
  prefix    = "{_PREFIX}"
  key_arn   = module.keys.arns["data"]
  keep_data = false
}}
"""
_BACKUP: Final = f"""
{_KEYS}
module "copy_keys" {{
  source     = "./modules/keys"
  providers  = {{ aws = aws.replica }}
  name       = "ticketstream-test-copy"
  account_id = "{ACCOUNT}"
  region     = "{OTHER_REGION}"
  partition  = "aws"
  purposes   = ["backup"]
}}

module "copy" {{
  source         = "./modules/vault"
  providers      = {{ aws = aws.replica }}
  name           = "ticketstream-test-copy"
  key_arn        = module.copy_keys.arns["backup"]
  retention_days = {{ min = 3, max = 35 }}
  force_destroy  = true
}}

module "backup" {{
  source         = "./modules/backup"
  name           = "ticketstream-test"
  global_name    = "ticketstream-test-use1"
  account_id     = "{ACCOUNT}"
  partition      = "aws"
  key_arn        = module.keys.arns["backup"]
  copy_vault_arn = module.copy.arn
  force_destroy  = true
}}

output "copy" {{
  value = module.copy.arn
}}
"""

_VAULT: Final = f"""
{_KEYS}
module "vault" {{
  source         = "./modules/vault"
  name           = "ticketstream-test"
  key_arn        = module.keys.arns["backup"]
  retention_days = {{ min = 3, max = 35 }}
}}
"""


class Drill:
    """Tables on an emulator, as Terraform makes them, with tickets in them."""

    def __init__(self, stack: Applied, emulator: Emulator) -> None:
        self.stack = stack
        self.client = emulator.client("dynamodb")
        tables = Tables(self.client, _PREFIX, HINT)
        self.tickets = DynamoTickets(tables)
        self.outbox = DynamoOutbox(tables)

    def all(self) -> list[str]:
        """The ids of all tickets, newest first, through an index of the table."""
        found = self.tickets.find(TicketQuery(tenant_id="acme", limit=2 * _TICKETS))
        return [one.ticket_id for one in found.tickets]


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """The tables on ministack."""
    require_ministack()
    folder = tmp_path_factory.mktemp("tables")
    with start_ministack(folder) as emulator, applied(_TABLES, folder / "root", emulator.url) as stack:
        made = Drill(stack, emulator)
        for number in range(_TICKETS):
            made.tickets.apply(upsert(ticket_id=f"T-{number}"))
        yield made


def test_a_table_is_restored_as_the_docs_say(drill: Drill) -> None:
    """The steps of the docs bring back every ticket under the table's name, and Terraform its other settings."""
    assert drill.stack.changes() == {}
    before, waiting = drill.all(), drill.outbox.size()
    assert len(before) == _TICKETS
    table = f"{_PREFIX}Tickets"
    backup = drill.client.create_backup(TableName=table, BackupName="hourly")["BackupDetails"]["BackupArn"]
    for item in drill.client.scan(TableName=table)["Items"]:  # the accident
        drill.client.delete_item(TableName=table, Key={"key": item["key"]})
    assert drill.all() == []

    variables = {"TABLE": table, "BACKUP": backup, "TIME": "2026-11-28T03:00:00Z", "RESTORED": "", "ROLE": ""}
    for command in commands(_PAGE, "## Restoring a table"):
        if command.startswith("aws backup") or "point-in-time" in command:
            continue  # other ways to the first step
        answer = run(drill.client, command, **variables)
        if "create-backup" in command:
            variables["RESTORED"] = answer["BackupDetails"]["BackupArn"]
    assert drill.all() == before
    assert drill.outbox.size() == waiting

    # A restored table lacks its tags, its expiry and its point-in-time recovery.
    changed = drill.stack.changes()
    assert all(actions == ["update"] for actions in changed.values()), changed
    assert drill.stack.root.apply({}).code == 0
    assert drill.stack.changes() == {}
    assert drill.all() == before
    drill.tickets.apply(upsert(ticket_id="T-new"))
    assert len(drill.all()) == _TICKETS + 1


def test_a_second_of_the_past_is_restored_beside_the_table(drill: Drill) -> None:
    """The point-in-time command of the docs makes a second table with the keys and indexes of the first."""
    (command,) = (one for one in commands(_PAGE, "## Restoring a table") if "point-in-time" in one)
    table = f"{_PREFIX}TicketMetadata"
    run(drill.client, command, TABLE=table, TIME="2026-11-28T03:00:00Z")
    shapes = []
    for name in (table, f"{table}-restored"):
        found = drill.client.describe_table(TableName=name)["Table"]
        shapes.append((found["KeySchema"], sorted(one["AttributeName"] for one in found["AttributeDefinitions"])))
    assert shapes[0] == shapes[1]
    drill.client.delete_table(TableName=f"{table}-restored")


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Applied, Emulator]]:
    """Vaults, plans and selections on ministack, without the locks, which it doesn't have."""
    require_ministack()
    folder = tmp_path_factory.mktemp("plans")
    with (
        start_ministack(folder) as emulator,
        applied(_BACKUP, folder / "root", emulator.url, without_locks) as stack,
    ):
        yield stack, emulator


def test_backups_are_made_every_hour_and_copied(plans: tuple[Applied, Emulator]) -> None:
    """Tables have a backup every hour, kept for 3 days, and one a day for 35; disks the latter. All are copied."""
    stack, emulator = plans
    client = emulator.client("backup")
    found = {}
    for listed in client.list_backup_plans()["BackupPlansList"]:
        plan = client.get_backup_plan(BackupPlanId=listed["BackupPlanId"])["BackupPlan"]
        (rule,) = plan["Rules"]
        (copy,) = rule["CopyActions"]
        assert copy["DestinationBackupVaultArn"] == stack.outputs()["copy"]
        assert f":{OTHER_REGION}:" in copy["DestinationBackupVaultArn"]
        assert copy["Lifecycle"]["DeleteAfterDays"] == rule["Lifecycle"]["DeleteAfterDays"]
        (selected,) = client.list_backup_selections(BackupPlanId=listed["BackupPlanId"])["BackupSelectionsList"]
        selection = client.get_backup_selection(
            BackupPlanId=listed["BackupPlanId"], SelectionId=selected["SelectionId"]
        )["BackupSelection"]
        tags = {(one["ConditionKey"], one["ConditionValue"]) for one in selection["ListOfTags"]}
        found[plan["BackupPlanName"]] = (rule["ScheduleExpression"], rule["Lifecycle"]["DeleteAfterDays"], tags)
    hourly, daily = ("backup", "ticketstream-test-hourly"), ("backup", "ticketstream-test-daily")
    assert found == {
        "ticketstream-test-hourly": ("cron(5 * * * ? *)", 3, {hourly}),
        "ticketstream-test-daily": ("cron(35 3 * * ? *)", 35, {hourly, daily}),
    }


def test_a_second_plan_of_the_backups_changes_nothing(plans: tuple[Applied, Emulator]) -> None:
    """After the apply a plan has no change."""
    assert plans[0].changes() == {}


def test_a_vault_is_locked(tmp_path: Path) -> None:
    """On moto, which has locks: a vault refuses to delete a backup for 3 days, and keeps none for more than 35."""
    with start_moto(tmp_path) as emulator, applied(_VAULT, tmp_path / "root", emulator.url):
        vault = emulator.client("backup").describe_backup_vault(BackupVaultName="ticketstream-test")
        assert (vault["MinRetentionDays"], vault["MaxRetentionDays"]) == (3, 35)
        assert ":kms:" in vault["EncryptionKeyArn"]
        assert "LockDate" not in vault  # governance: it can be taken off
