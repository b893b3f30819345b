"""The tables of docs/cost.md, from the plans of both environments and deploy/prices.yaml."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from deploy.cost import Line, Prices, lines, read_prices, table, total

PAGE: Final = Path(__file__).parents[3] / "docs" / "cost.md"
#: Fargate Spot is up to 70 % cheaper (https://www.wring.co/blog/aws-fargate-pricing-guide, 2026-03-10).
_SPOT_OFF: Final = 0.70
_START_GIB: Final = 100


def rendered(plans: Mapping[str, Any]) -> str:
    """The page with the tables that these plans and prices.yaml give."""
    prices = read_prices()
    found = {name: lines(plan, prices) for name, plan in plans.items()}
    tables = {
        "boxes": table(found, prices),
        "drawing": drawing_table(prices),
        "savings": savings_table(found["prod"], prices),
    }
    text = PAGE.read_text()
    for name, content in tables.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
        assert pattern.search(text), f"cost.md has no part <!-- {name} --> ... <!-- end -->"
        text = pattern.sub(lambda part, content=content: f"{part[1]}{content}\n", text)  # type: ignore[misc]
    return text


def drawing_table(prices: Prices) -> str:
    """The first drawing's groups: its estimate, and the list price of its smallest configuration."""
    rows = ["| group | estimate | list price | of |", "|---|---:|---:|---|"]
    said = listed = 0.0
    for group, row in prices.drawing.items():
        cost = sum(quantity * prices.monthly(key) for key, quantity in row["has"].items())
        parts = ", ".join(f"{quantity:,} × {key}" for key, quantity in row["has"].items()) or "billed by use"
        rows.append(f"| {group} | ${row['said']:,} | ${cost:,.0f} | {parts} |")
        said, listed = said + row["said"], listed + cost
    return "\n".join([*rows, f"| **Sum** | **${said:,.0f}** | **${listed:,.0f}** | before anything is used |"])


class Saving(Struct, frozen=True):
    """A change, its arithmetic, and what it saves in a month."""

    change: str
    arithmetic: str
    usd: float


def savings_table(prod: list[Line], prices: Prices) -> str:
    """The largest savings in prod, with their arithmetic, the largest first."""
    found = [*_disks(prod, prices), *_compute(prod, prices), *_egress(prod, prices)]
    rows = [f"| {each.change} | {each.arithmetic} | ${each.usd:,.0f} |" for each in sorted(found, key=lambda s: -s.usd)]
    return "\n".join(["| change | arithmetic | saves a month |", "|---|---|---:|", *rows])


def _disks(prod: list[Line], prices: Prices) -> list[Saving]:
    disk, brokers = _sum(prod, "msk-disk-gb"), _sum(prod, "msk-m7g.large")
    gb, tiered_gb = prices.monthly("msk-disk-gb"), prices.monthly("msk-tiered-gb")
    first, moved = brokers * _START_GIB, disk / brokers - _START_GIB
    small = f"({disk:,.0f} − {first:,.0f}) GB × ${gb:.2f}"
    tiered = f"{small} − {moved:,.0f} GB, one copy × ${tiered_gb:.2f}"
    return [
        Saving(f"Brokers' disks that start with {_START_GIB} GiB and grow by themselves", small, (disk - first) * gb),
        Saving("Tiered storage, once those disks are full", tiered, (disk - first) * gb - moved * tiered_gb),
    ]


def _compute(prod: list[Line], prices: Prices) -> list[Saving]:
    month = prices.monthly
    tasks = total([line for line in prod if line.key.startswith("fargate") and line.box == "Workers"], prices)
    vcpus, gbs, nodes = _sum(prod, "fargate-vcpu"), _sum(prod, "fargate-gb"), _sum(prod, "ec2-r7i.xlarge")
    vcpu = month("fargate-vcpu") - month("fargate-arm-vcpu")
    gb = month("fargate-gb") - month("fargate-arm-gb")
    node = month("ec2-r7i.xlarge") - month("ec2-r7g.xlarge")
    on_arm = f"{vcpus:g} vCPU × ${vcpu:.2f} + {gbs:g} GB × ${gb:.2f}"
    return [
        Saving("Workers on Fargate Spot", f"${tasks:,.0f} × up to {_SPOT_OFF:.0%}", tasks * _SPOT_OFF),
        Saving("Tasks on Graviton", on_arm, vcpus * vcpu + gbs * gb),
        Saving("The index on Graviton (r7g.xlarge)", f"{nodes:g} × ${node:.2f}", nodes * node),
    ]


def _egress(prod: list[Line], prices: Prices) -> list[Saving]:
    month = prices.monthly
    zones, gateways = _sum(prod, "vpc-endpoint-zone"), _sum(prod, "nat-gateway")
    endpoint, gateway = month("vpc-endpoint-zone"), month("nat-gateway") + month("public-ipv4")
    even = zones * endpoint / (month("nat-gb") - month("vpc-endpoint-gb"))
    return [
        Saving(
            f"No interface endpoints; they pay from {even:,.0f} GB a month",
            f"{zones:g} × ${endpoint:.2f}",
            zones * endpoint,
        ),
        Saving(
            "One NAT gateway; if its zone fails, the others lose their egress",
            f"{gateways - 1:g} × ${gateway:.2f}",
            (gateways - 1) * gateway,
        ),
    ]


def _sum(found: list[Line], key: str) -> float:
    return sum(line.quantity for line in found if line.key == key)
