"""A plan is priced by box, and no resource is left out of the sum in silence."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.cost import RULES, UnpricedError, lines, read_prices, total

_ROOT: Final = Path(__file__).parents[2]
_RESOURCE: Final = re.compile(r'^resource "(\w+)"', re.MULTILINE)


def _plan(*resources: dict[str, Any], module: str = "module.ticketstream.module.kafka") -> dict[str, Any]:
    found = [{"mode": "managed", "address": f"{module}.{each['type']}.this", **each} for each in resources]
    child = {"address": module, "resources": found}
    return {"planned_values": {"root_module": {"child_modules": [child]}}}


def test_each_resource_of_the_modules_is_accounted_for() -> None:
    """Each resource type of the Terraform modules has a price, is billed by use, or is free."""
    prices = read_prices()
    modules = _ROOT / "deploy" / "terraform" / "modules"
    kinds = {kind for path in modules.rglob("*.tf") for kind in _RESOURCE.findall(path.read_text())}
    assert len(kinds) > 50
    assert kinds - prices.free - set(prices.by_use) - set(RULES) == set()


def test_a_row_of_prices_says_where_it_comes_from() -> None:
    """Each price has a unit, a region, a date and a source, and none is both free and billed by use."""
    prices = read_prices()
    for key, row in prices.rows.items():
        assert row.usd > 0, key
        assert row.region == "us-east-1", key
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", row.date), key
        assert row.source.startswith(("https://", "public code that quotes ")), key
    assert not prices.free & set(prices.by_use)
    assert not (prices.free | set(prices.by_use)) & set(RULES)


def test_brokers_are_priced_by_size_and_disk() -> None:
    """Three brokers with 1,000 GB each cost three machines and 3,000 GB."""
    storage = [{"ebs_storage_info": [{"volume_size": 1000}]}]
    group = {"instance_type": "kafka.m7g.large", "storage_info": storage}
    values = {"broker_node_group_info": [group], "number_of_broker_nodes": 3}
    prices = read_prices()
    found = lines(_plan({"type": "aws_msk_cluster", "values": values}), prices)
    assert {(line.box, line.key, line.quantity) for line in found} == {
        ("Kafka", "msk-m7g.large", 3),
        ("Kafka", "msk-disk-gb", 3000),
    }
    assert total(found, prices) == pytest.approx(3 * 0.204 * 730 + 300)


def test_tasks_are_priced_by_their_definition() -> None:
    """Tasks on Fargate cost their vCPU and memory, by sizes.yaml if the plan doesn't know them; on machines nothing."""
    task = {"type": "aws_ecs_task_definition", "values": {"cpu": "2048", "memory": "4096"}}
    on_fargate = {
        "name": "embedding-minilm",
        "desired_count": 2,
        "capacity_provider_strategy": [{"capacity_provider": "FARGATE"}],
    }
    on_machines = {"desired_count": 2, "launch_type": "EC2", "capacity_provider_strategy": []}
    prices = read_prices()
    found = lines(_plan(task, {"type": "aws_ecs_service", "values": on_fargate}), prices)
    assert {(line.key, line.quantity) for line in found} == {("fargate-vcpu", 4), ("fargate-gb", 8)}
    assert lines(_plan(task, {"type": "aws_ecs_service", "values": on_machines}), prices) == []
    unknown = {"type": "aws_ecs_task_definition", "values": {}}
    assert lines(_plan(unknown, {"type": "aws_ecs_service", "values": on_fargate}), prices) == found


def test_an_unknown_resource_is_no_free_resource() -> None:
    """A type that prices.yaml doesn't mention, and a size without a row, are errors that name them."""
    with pytest.raises(UnpricedError, match="says nothing about aws_db_instance"):
        lines(_plan({"type": "aws_db_instance", "values": {}}), read_prices())
    disk = {"type": "aws_ebs_volume", "values": {"type": "io2", "size": 10}}
    with pytest.raises(UnpricedError, match="no price ebs-io2-gb"):
        total(lines(_plan(disk), read_prices()), read_prices())


def test_the_command_prints_a_table_or_one_line() -> None:
    """The command prices a plan on its input; anything else ends it with 2 and one line."""
    plan = json.dumps(_plan({"type": "aws_kms_key", "values": {}}, module="module.ticketstream.module.keys"))
    good = _command(plan)
    assert good.returncode == 0
    assert "| **Keys and secrets** | | **$1** |" in good.stdout
    for wrong in ("no JSON", "{}"):
        bad = _command(wrong)
        assert bad.returncode == 2
        assert bad.stderr.count("\n") == 1
        assert "terraform show -json" in bad.stderr


def _command(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.cost"], input=text, capture_output=True, text=True, cwd=_ROOT, check=False
    )
