"""Plans of copies in a second region, and of the region that takes over."""

from pathlib import Path
from typing import Any, Final

import pytest

from tests.deploy.terraform.emulators import Emulator, start_moto
from tests.deploy.terraform.tool import resources
from tests.deploy.terraform.workspace import ACCOUNT, SMALL, VARIABLES, Workspace

_KEY: Final = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"
_ZONES: Final = ["us-west-2a", "us-west-2b", "us-west-2c"]


def _planned(workspace: Workspace, folder: Path, *, endpoint: str | None = None, **more: Any) -> list[dict[str, Any]]:
    root = workspace.root("envs/prod", endpoint=endpoint)
    result = root.plan(VARIABLES["prod"] | more, to=folder / "plan")
    assert result.code == 0, result.errors()
    return resources(root.show(folder / "plan")["planned_values"]["root_module"])


def _tables(made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The services' tables. The producers' checkpoints are not copied."""
    return [
        each["values"]
        for each in made
        if each["type"] == "aws_dynamodb_table" and "module.checkpoints" not in each["address"]
    ]


def _copy_tables(emulator: Emulator) -> set[str]:
    """Create the copies of the tables whose streams wake a function, and return the ARNs of the streams."""
    dynamodb = emulator.client("dynamodb", region="us-west-2")
    made = [
        dynamodb.create_table(
            TableName=f"ticketstream-prod-{name}",
            KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        for name in ("TicketMetadata", "Tickets")
    ]
    return {each["TableDescription"]["LatestStreamArn"] for each in made}


@pytest.mark.thorough
def test_tables_are_copied_to_a_second_region(workspace: Workspace, tmp_path: Path) -> None:
    """Each table has a copy there, encrypted with a key of that region, and restorable."""
    made = _planned(workspace, tmp_path, table_replica={"region": "us-west-2", "key_arn": _KEY})
    tables = _tables(made)
    assert len(tables) >= 4
    for table in tables:
        (copy,) = table["replica"]
        assert (copy["region_name"], copy["kms_key_arn"], copy["point_in_time_recovery"]) == ("us-west-2", _KEY, True)
        assert table["stream_view_type"] == "NEW_AND_OLD_IMAGES"


@pytest.mark.thorough
def test_the_region_that_takes_over_uses_the_copies(workspace: Workspace, tmp_path: Path) -> None:
    """It creates everything but the tables, and the streams of the copies wake the outbox and start the workflow."""
    given = {"region": "us-west-2", "zones": _ZONES, "replica_region": None, "existing_tables": {"key_arn": _KEY}}
    branch = workspace.branch(tmp_path / "deploy")
    branch.emulated("envs/prod")
    with start_moto(tmp_path) as emulator:
        streams = _copy_tables(emulator)
        made = _planned(branch, tmp_path, endpoint=emulator.url, **given)
    kinds = {each["type"] for each in made}
    assert {"aws_msk_cluster", "aws_ecs_service", "aws_s3_bucket", "aws_elasticache_replication_group"} <= kinds
    assert _tables(made) == []
    assert {each["values"]["availability_zone"] for each in made if each["type"] == "aws_subnet"} == set(_ZONES)
    mappings = [each["values"] for each in made if each["type"] == "aws_lambda_event_source_mapping"]
    assert {each["event_source_arn"] for each in mappings} == streams
    alarms = [each["values"] for each in made if each["type"] == "aws_cloudwatch_metric_alarm"]
    assert any("ticketstream-prod-Tickets" in str(alarm.get("dimensions")) for alarm in alarms)


@pytest.mark.thorough
def test_a_copy_in_the_same_region_is_refused(workspace: Workspace) -> None:
    """The plan says what is wrong."""
    root = workspace.root("envs/prod")
    result = root.plan(SMALL["prod"] | {"table_replica": {"region": "us-east-1", "key_arn": _KEY}})
    assert result.code == 1
    assert "table_replica.region must be another region" in result.errors()
