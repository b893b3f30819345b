"""The pictures of docs/uml match prod's plan: its resources, and the calls between them."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from msgspec.structs import replace

from tests.deploy.terraform import diagram_arrows as arrows
from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.diagram import UML, Arrow, Found, Frame, Picture, found, source
from tests.deploy.terraform.diagrams import LEFT_OUT, PICTURES
from tests.deploy.terraform.table import Table
from tests.rigs.plantuml import draw

_WORDS: Final = re.compile(r"<text[^>]*>([^<]*)</text>")


@pytest.fixture
def prod(plans: dict[str, Planned]) -> Found:
    """The parts of prod's plan."""
    return found(plans["prod"].content)


@pytest.fixture
def whole(prod: Found) -> set[tuple[str, str, str]]:
    """The arrows of the first picture."""
    return _arrows(PICTURES["deployment"](prod))


def _arrows(picture: Picture) -> set[tuple[str, str, str]]:
    return {(each.source, each.target, each.label) for each in picture.arrows}


def _frames(picture: Picture) -> Iterator[Frame]:
    for member in picture.members:
        if isinstance(member, Frame):
            yield member
            yield from (inner for inner in member.members if isinstance(inner, Frame))


@pytest.mark.parametrize("name", PICTURES)
def test_the_source_is_made_from_the_plan(prod: Found, name: str, table: Table) -> None:
    """The shipped source is what the plan gives; `python -m tests.deploy.terraform.pages` writes it again."""
    picture = PICTURES[name](prod)
    assert (UML / f"{name}.puml").read_text() == source(picture)
    assert f"]({name}.svg)" in (UML / "README.md").read_text()
    table.row(f"boxes of the diagram {name}", "prod", len(picture.boxes()))
    table.row(f"arrows of the diagram {name}", "prod", len(picture.arrows))


@pytest.mark.parametrize("name", PICTURES)
def test_the_order_of_a_plan_changes_nothing(plans: dict[str, Planned], prod: Found, name: str) -> None:
    """Terraform plans modules side by side, so they come in the order in which they were done."""

    def turned(module: dict[str, Any]) -> dict[str, Any]:
        parts = {"resources": module.get("resources", [])[::-1]}
        return module | parts | {"child_modules": [turned(each) for each in module.get("child_modules", [])[::-1]]}

    content = plans["prod"].content
    root = turned(content["planned_values"]["root_module"])
    backwards = found({**content, "planned_values": {**content["planned_values"], "root_module": root}})
    assert source(PICTURES[name](backwards)) == source(PICTURES[name](prod))


@pytest.mark.parametrize("name", PICTURES)
def test_each_arrow_has_two_ends(prod: Found, name: str) -> None:
    """Each arrow begins and ends at a box or frame that is drawn once, and each box has a note that says something."""
    picture = PICTURES[name](prod)
    drawn = [box.alias for box in picture.boxes()] + [frame.alias for frame in _frames(picture) if frame.alias]
    assert len(drawn) == len({*drawn})
    assert {end for each in picture.arrows for end in (each.source, each.target)} <= {*drawn}
    assert [box.name for box in picture.boxes() if not box.note and box.icon != "person"] == []


def test_each_firewall_rule_is_drawn(prod: Found) -> None:
    """Each ingress rule is an arrow with its port, or says in its group's box that the group calls AWS."""
    picture = PICTURES["firewall"](prod)
    drawn = {(one, other, int(port)) for one, other, ports in _arrows(picture) for port in ports.split(", ")}
    aws = {(box.alias, "endpoints", 443) for box in picture.boxes() if "AWS by endpoints" in box.note}
    rules = prod.of("aws_vpc_security_group_ingress_rule")
    assert len(drawn | aws) == len(rules)
    assert {one for one, _, _ in drawn | aws} == {each["index"].split("-")[0] for each in rules}
    assert sorted(port for *_, port in drawn | aws) == sorted(each["values"]["from_port"] for each in rules)
    assert {box.alias for box in picture.boxes()} == {each["index"] for each in prod.of("aws_security_group")}
    assert {box.alias for box in picture.boxes() if "NAT" in box.note} == {*arrows.outward(prod)}


def test_the_whole_shows_each_way_through_the_firewall(prod: Found, whole: set[tuple[str, str, str]]) -> None:
    """Groups that may talk are joined by an arrow between them or their members, and no others in the VPC are."""
    members = {box.alias: frame.alias for frame in _frames(PICTURES["deployment"](prod)) for box in frame.members}
    joined = {frozenset(members.get(end) or end for end in ends[:2]) for ends in whole}
    groups = {each["index"] for each in prod.of("aws_security_group")} - {*LEFT_OUT}
    allowed = {frozenset(ends) for ends in arrows.rules(prod) if {*ends} <= groups and ends[0] != ends[1]}
    assert {ends for ends in joined if ends <= groups} == allowed


def test_requests_go_where_origins_integrations_and_listeners_send_them(
    prod: Found, whole: set[tuple[str, str, str]]
) -> None:
    """CloudFront's paths, the API's operations, and the ports of the load balancers' targets are those of the plan."""
    assert {("CloudFront", "API_Gateway", "/api/*"), ("CloudFront", "pages", "/*, /static/*")} <= whole
    proxies = [each["type"] for each in prod.values("aws_api_gateway_integration")]
    linked = proxies.count("HTTP_PROXY") + len(prod.of("aws_cloudformation_stack"))
    assert ("API_Gateway", "functions", f"{proxies.count('AWS_PROXY')} operations") in whole
    assert ("API_Gateway", "link", f"VPC link: {linked} operations") in whole
    ports = {each["name"].rsplit("-", 1)[1]: str(each["port"]) for each in prod.values("aws_lb_target_group")}
    targets = {
        ("link", "api", "link"),
        ("api", "rag", "rag"),
        ("api", "tickets", "tickets"),
        ("entry", "index", "index"),
    }
    assert len(targets) == len(ports)
    assert {(one, other, ports[group]) for one, other, group in targets} <= whole


def test_topics_are_those_of_the_tasks(prod: Found, whole: set[tuple[str, str, str]]) -> None:
    """Producers write tickets.raw, each role reads what the one before it writes, and the archiver reads all."""
    assert {
        ("producer", "brokers", "tickets.raw"),
        ("brokers", "enrichment_minilm", "tickets.raw"),
        ("enrichment_minilm", "brokers", "tickets.enriched"),
        ("brokers", "embedding_minilm", "tickets.enriched"),
        ("embedding_minilm", "brokers", "tickets.embedded"),
        ("brokers", "archive", "tickets.raw"),
        ("functions", "brokers", "tickets.raw"),
    } <= whole
    read = {each["dimensions"]["Topic"] for each in _lags(prod)}
    assert {label for one, _, label in whole if one == "brokers"} == read


def _lags(prod: Found) -> list[dict[str, dict[str, str]]]:
    alarms = prod.values("aws_cloudwatch_metric_alarm")
    return [each for each in alarms if "Topic" in (each.get("dimensions") or {})]


def test_each_function_is_called(prod: Found) -> None:
    """Each function has a caller, each stream and permission is an arrow, and so is each step of the workflow."""
    picture = PICTURES["functions"](prod)
    calls = [each for each in picture.arrows if each.target.startswith("fn_")]
    names = {arrows.function(name) for name in prod.functions().values()}
    assert {each.target for each in calls} >= names
    mappings = prod.of("aws_lambda_event_source_mapping")
    assert len([each for each in calls if each.source == "Tables"]) == len(mappings) > 0
    permissions = {(each["principal"], each["function_name"]) for each in prod.values("aws_lambda_permission")}
    assert len([each for each in calls if each.source not in ("Tables", "Step_Functions")]) == len(permissions)
    steps = [each.target for each in calls if each.source == "Step_Functions"]
    assert sorted(steps) == sorted(name for name in names if name.startswith("fn_workflow") and "start" not in name)
    assert Arrow("fn_workflow_start", "Step_Functions") in picture.arrows


def test_each_service_is_drawn(prod: Found) -> None:
    """Each task's and node's service is in the picture, and the counts are those of the plan."""
    text = source(PICTURES["deployment"](prod))
    nodes = [each["name"] for each in prod.values("aws_ecs_service", "index")]
    for service in prod.values("aws_ecs_service"):
        assert service["name"] in nodes or f'"{service["name"]}"' in text
    (cluster,) = prod.values("aws_msk_cluster")
    assert f'"{len(nodes)} × ' in text
    assert f"{cluster['number_of_broker_nodes']} × {cluster['broker_node_group_info'][0]['instance_type']}" in text
    assert f'"{len(prod.of("aws_cloudwatch_metric_alarm"))} alarms"' in text


@pytest.mark.parametrize(
    "kind",
    [
        "aws_api_gateway_authorizer",
        "aws_api_gateway_integration",
        "aws_cloudformation_stack",
        "aws_cloudwatch_event_rule",
        "aws_cognito_user_pool_client",
        "aws_dynamodb_table",
        "aws_lambda_event_source_mapping",
        "aws_lambda_permission",
        "aws_lb_target_group",
        "aws_security_group",
        "aws_sfn_state_machine",
        "aws_vpc_security_group_ingress_rule",
        "aws_wafv2_web_acl",
    ],
)
def test_another_plan_gives_another_picture(prod: Found, kind: str) -> None:
    """Without any one resource of a kind that is drawn, at least one picture differs."""
    shipped = [source(picture(prod)) for picture in PICTURES.values()]
    for resource in prod.of(kind):
        if resource["values"].get("type") == "AWS_PROXY" or resource["values"].get("target_type") == "alb":
            continue  # the function's permission, or the firewall's rule, says the same
        changed = replace(prod, all=[each for each in prod.all if each is not resource])
        assert [source(picture(changed)) for picture in PICTURES.values()] != shipped, resource["address"]


def test_an_unknown_origin_is_refused(prod: Found) -> None:
    """An unknown origin of CloudFront is an error, because its requests would be missing from the picture."""
    text = json.dumps(prod.all).replace(".execute-api.", ".example.")
    with pytest.raises(ValueError, match="isn't drawn"):
        PICTURES["deployment"](replace(prod, all=json.loads(text)))


@pytest.mark.parametrize("name", PICTURES)
def test_the_source_can_be_drawn(name: str) -> None:
    """PlantUML draws the source without an error, and the shipped picture shows the same words."""
    drawn = _WORDS.findall(draw((UML / f"{name}.puml").read_text()).decode())
    assert sorted(drawn) == sorted(_WORDS.findall((UML / f"{name}.svg").read_text()))
