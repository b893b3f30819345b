"""The monthly list price of a Terraform plan: `terraform show -json PLAN | python -m deploy.cost`."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

_FILE: Final = Path(__file__).with_name("prices.yaml")
_SIZES: Final = Path(__file__).with_name("sizes.yaml")
_MODULE: Final = re.compile(r"module\.(\w+)")
_DETAILED_METRICS: Final = 7  # of an EC2 machine with detailed monitoring
#: The box of the diagram for each module of modules/stack, in the order of the table.
BOXES: Final[dict[str, str]] = {
    "kafka": "Kafka",
    "worker": "Workers",
    "gpu": "Workers",
    "index": "Index",
    "service": "HTTP services",
    "balancer": "HTTP services",
    "cache": "HTTP services",
    "background": "Archive and producers",
    "functions": "Functions",
    "workflow": "Workflow",
    "workflow_functions": "Workflow",
    "canary": "Alarms",
    "api": "API and sign-in",
    "sign_in": "API and sign-in",
    "edge": "Edge",
    "edge_firewall": "Edge",
    "api_firewall": "Edge",
    "firewall": "Edge",
    "hosted_models": "Models",
    "network": "Network",
    "keys": "Keys and secrets",
    "secrets": "Keys and secrets",
    "rotation": "Keys and secrets",
    "observability": "Alarms",
}


class UnpricedError(Exception):
    """A resource type or size that prices.yaml doesn't know."""


class Price(Struct, frozen=True):
    """A row of prices.yaml."""

    usd: float
    unit: str
    region: str
    date: str
    source: str


class Prices(Struct, frozen=True):
    """The content of prices.yaml."""

    hours_per_month: int
    rows: dict[str, Price]
    by_use: dict[str, str]
    free: frozenset[str]
    drawing: dict[str, dict[str, Any]]

    def monthly(self, key: str) -> float:
        """The price of one unit for a month.

        Raises:
            UnpricedError: prices.yaml has no such row.
        """
        if key not in self.rows:
            raise UnpricedError(f"deploy/prices.yaml has no price {key}: add a row with its source and date")
        row = self.rows[key]
        return row.usd * self.hours_per_month if row.unit.endswith("hour") else row.usd


class Line(Struct, frozen=True):
    """A quantity of units with one price, in a box."""

    box: str
    key: str
    quantity: float


#: A resource of a plan, and its values, in Terraform's JSON.
_Resource = dict[str, Any]
_Values = Mapping[str, Any]
#: The quantities of a resource by price, from its values and the resources of its module.
_Rule = Callable[[_Values, list[_Resource]], dict[str, float]]


def read_prices(path: Path = _FILE) -> Prices:
    """The content of prices.yaml."""
    content = yaml.safe_load(path.read_text())
    rows = {key: Price(**{**row, "date": str(row["date"])}) for key, row in content["prices"].items()}
    return Prices(content["hours_per_month"], rows, content["by_use"], frozenset(content["free"]), content["drawing"])


def lines(plan: _Values, prices: Prices) -> list[Line]:
    """The parts of a plan (`terraform show -json`) that cost money whether they are used or not.

    Raises:
        UnpricedError: A resource type has no price, and is neither free nor billed by use.
    """
    found: dict[tuple[str, str], float] = {}
    for address, siblings in _modules(plan["planned_values"]["root_module"]):
        for each in siblings:
            kind = each["type"]
            if kind in prices.free or kind in prices.by_use:
                continue
            if kind not in RULES:
                raise UnpricedError(f"{each['address']}: deploy/prices.yaml says nothing about {kind}")
            for key, quantity in RULES[kind](each.get("values", {}), siblings).items():
                place = (_box(address), key)
                found[place] = found.get(place, 0) + quantity
    order = list(dict.fromkeys(BOXES.values()))
    return sorted(
        (Line(box, key, quantity) for (box, key), quantity in found.items()),
        key=lambda line: (order.index(line.box) if line.box in order else len(order), line.box, line.key),
    )


def total(found: list[Line], prices: Prices, box: str | None = None) -> float:
    """The monthly price of all lines, or of a box."""
    return sum(line.quantity * prices.monthly(line.key) for line in found if box in (None, line.box))


def _modules(module: _Values) -> Iterator[tuple[str, list[_Resource]]]:
    yield module.get("address", ""), [each for each in module.get("resources", []) if each["mode"] == "managed"]
    for child in module.get("child_modules", []):
        yield from _modules(child)


def _box(address: str) -> str:
    names = _MODULE.findall(address)
    name = "stack" if names in ([], ["ticketstream"]) else names[:2][-1]
    return BOXES.get(name, name)


def _of(siblings: list[_Resource], kind: str) -> _Values:
    """The values of the module's only resource of a type."""
    (found,) = (each["values"] for each in siblings if each["type"] == kind)
    return dict(found)


def _service(values: _Values, siblings: list[_Resource]) -> dict[str, float]:
    providers = [each["capacity_provider"] for each in values.get("capacity_provider_strategy") or []]
    if "FARGATE" not in providers and values.get("launch_type") != "FARGATE":
        return {}  # its machines are priced
    task, tasks = _of(siblings, "aws_ecs_task_definition"), values["desired_count"]
    vcpu, memory_mib = task.get("cpu"), task.get("memory")
    if vcpu is None or memory_mib is None:  # a plan doesn't know what a rendered template will say
        size = _size(values["name"])
        vcpu, memory_mib = 1024 * size["vcpu"], size["memory_mib"]
    return {"fargate-vcpu": tasks * int(vcpu) / 1024, "fargate-gb": tasks * int(memory_mib) / 1024}


def _size(service: str) -> _Values:
    """The size of a service's task in sizes.yaml."""
    sizes = yaml.safe_load(_SIZES.read_text())
    return dict({**sizes["services"], **sizes["background"]}.get(service, sizes["task"]))


def _machines(values: _Values, siblings: list[_Resource]) -> dict[str, float]:
    template, machines = _of(siblings, "aws_launch_template"), values["min_size"]
    disks = [disk for mapping in template["block_device_mappings"] for disk in mapping["ebs"]]
    found = {
        f"ec2-{template['instance_type']}": machines,
        "ebs-gp3-gb": machines * sum(disk["volume_size"] for disk in disks),
        "metric": machines * _DETAILED_METRICS if template["monitoring"][0]["enabled"] else 0,
    }
    return {key: quantity for key, quantity in found.items() if quantity}


def _brokers(values: _Values, _siblings: list[_Resource]) -> dict[str, float]:
    (group,), brokers = values["broker_node_group_info"], values["number_of_broker_nodes"]
    size = group["storage_info"][0]["ebs_storage_info"][0]["volume_size"]
    return {f"msk-{group['instance_type'].removeprefix('kafka.')}": brokers, "msk-disk-gb": brokers * size}


def _endpoint(values: _Values, siblings: list[_Resource]) -> dict[str, float]:
    if values["vpc_endpoint_type"] != "Interface":
        return {}
    zones = {each["values"]["availability_zone"] for each in siblings if each["type"] == "aws_subnet"}
    return {"vpc-endpoint-zone": len(zones)}


def _cache(values: _Values, _siblings: list[_Resource]) -> dict[str, float]:
    key = f"elasticache-{values['engine']}-{values['node_type'].removeprefix('cache.')}"
    return {key: values["num_cache_clusters"]}


def _encoder(values: _Values, _siblings: list[_Resource]) -> dict[str, float]:
    return {
        f"sagemaker-{variant['instance_type'].removeprefix('ml.')}": variant["initial_instance_count"]
        for variant in values["production_variants"]
    }


def _one(key: str) -> _Rule:
    return lambda _values, _siblings: {key: 1}


RULES: Final[dict[str, _Rule]] = {
    "aws_autoscaling_group": _machines,
    "aws_cloudwatch_dashboard": _one("dashboard"),
    "aws_cloudwatch_metric_alarm": _one("alarm"),
    "aws_ebs_volume": lambda values, _siblings: {f"ebs-{values['type']}-gb": values["size"]},
    "aws_ecs_service": _service,
    "aws_eip": _one("public-ipv4"),
    "aws_elasticache_replication_group": _cache,
    "aws_kms_key": _one("kms-key"),
    "aws_lb": _one("load-balancer"),
    "aws_msk_cluster": _brokers,
    "aws_nat_gateway": _one("nat-gateway"),
    "aws_sagemaker_endpoint_configuration": _encoder,
    "aws_secretsmanager_secret": _one("secret"),
    "aws_service_discovery_private_dns_namespace": _one("hosted-zone"),
    "aws_vpc_endpoint": _endpoint,
    "aws_wafv2_web_acl": lambda values, _siblings: {"waf-acl": 1, "waf-rule": len(values["rule"])},
}


def table(plans: Mapping[str, list[Line]], prices: Prices) -> str:
    """A table of boxes and their parts, with a column for each plan and a sum."""
    rows = [f"| box | part | unit a month | {' | '.join(plans)} |", "|---|---|" + "---:|" * (len(plans) + 1)]
    boxes = dict.fromkeys(line.box for found in plans.values() for line in found)
    for box in boxes:
        keys = dict.fromkeys(line.key for found in plans.values() for line in found if line.box == box)
        for number, key in enumerate(sorted(keys)):
            cells = [_cell(found, box, key, prices) for found in plans.values()]
            rows.append(f"| {'' if number else box} | {key} | {prices.monthly(key):,.3f} | {' | '.join(cells)} |")
        rows.append(f"| | **{box}** | | {' | '.join(f'**${total(f, prices, box):,.0f}**' for f in plans.values())} |")
    rows.append(f"| **Sum** | | | {' | '.join(f'**${total(found, prices):,.0f}**' for found in plans.values())} |")
    return "\n".join(rows)


def _cell(found: list[Line], box: str, key: str, prices: Prices) -> str:
    quantity = sum(line.quantity for line in found if (line.box, line.key) == (box, key))
    return f"{quantity:,g} → ${quantity * prices.monthly(key):,.2f}" if quantity else ""


def main() -> int:
    """Print the table of the plan on the standard input."""
    prices = read_prices()
    try:
        found = lines(json.load(sys.stdin), prices)
        print(table({"plan": found}, prices))  # noqa: T201 - the command's output
    except (json.JSONDecodeError, KeyError) as error:
        print(f"The input is not a plan in JSON ({error}): run `terraform show -json PLAN`.", file=sys.stderr)  # noqa: T201
        return 2
    except UnpricedError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
