"""docs/uml/deployment.puml shows what prod's plan creates, and the traffic that its firewall lets through."""

import re
from typing import Final

import pytest

from tests.deploy.terraform import diagram
from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.table import Table
from tests.rigs.plantuml import draw

_ARROW: Final = re.compile(r"^(\w+) --> (\w+) : ([\d, ]+)$", re.MULTILINE)


@pytest.fixture
def prod(plans: dict[str, Planned]) -> diagram.Found:
    """The resources of prod's plan."""
    return diagram.found(plans["prod"].content)


def test_the_source_is_made_from_the_plan(prod: diagram.Found, table: Table) -> None:
    """The shipped source is what the plan gives; `python -m tests.deploy.terraform.pages` writes it again."""
    assert diagram.SOURCE.read_text() == diagram.render(prod)
    table.row("boxes of the diagram", "prod", len(diagram.boxes(prod)))
    table.row("arrows of the diagram", "prod", len(diagram.arrows(prod)))


def test_each_firewall_rule_is_an_arrow(prod: diagram.Found) -> None:
    """Each ingress rule of the plan is an arrow with its port, and there is no other arrow with a port."""
    text = diagram.SOURCE.read_text()
    drawn = {
        (source, target, int(port)) for source, target, ports in _ARROW.findall(text) for port in ports.split(", ")
    }
    rules = prod.values("aws_vpc_security_group_ingress_rule")
    ids = [each["index"].split("-")[0] for each in prod.of("aws_vpc_security_group_ingress_rule")]
    assert len(drawn) == len(rules)
    assert {source for source, _, _ in drawn} == set(ids)
    assert sorted(port for _, _, port in drawn) == sorted(each["from_port"] for each in rules)


def test_each_service_and_group_is_drawn(prod: diagram.Found) -> None:
    """Each security group is in the picture, each service's name too, and the counts are those of the plan."""
    text = diagram.SOURCE.read_text()
    for group in prod.of("aws_security_group"):
        assert re.search(rf"\bas {group['index']}\b", text), group["index"]
    for service in prod.values("aws_ecs_service"):
        assert service["name"] in text
    (cluster,) = prod.values("aws_msk_cluster")
    assert f"{cluster['number_of_broker_nodes']} × {cluster['broker_node_group_info'][0]['instance_type']}" in text
    assert f'"{len(prod.of("aws_cloudwatch_metric_alarm"))} alarms"' in text


def test_the_source_can_be_drawn() -> None:
    """PlantUML draws the source without an error, and the shipped picture shows the same words."""
    picture = draw(diagram.SOURCE.read_text()).decode()
    words = re.findall(r"<text[^>]*>([^<]*)</text>", picture)
    shipped = re.findall(r"<text[^>]*>([^<]*)</text>", diagram.PICTURE.read_text())
    assert sorted(words) == sorted(shipped)
