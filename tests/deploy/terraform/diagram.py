"""The deployment diagram (docs/uml), made from a plan: resources become boxes, and firewall rules arrows."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from tests.deploy.terraform.tool import resources

UML: Final = Path(__file__).parents[3] / "docs" / "uml"
SOURCE: Final = UML / "deployment.puml"
PICTURE: Final = UML / "deployment.svg"
_ICONS: Final = {
    "Fargate": "Containers",
    "ElasticContainerService": "Containers",
    "ElasticContainerRegistry": "Containers",
    "EC2": "Compute",
    "Lambda": "Compute",
    "ManagedStreamingforApacheKafka": "Analytics",
    "ElasticLoadBalancing": "NetworkingContentDelivery",
    "CloudFront": "NetworkingContentDelivery",
    "Route53": "NetworkingContentDelivery",
    "WAF": "SecurityIdentityCompliance",
    "VPCNATGateway": "NetworkingContentDelivery",
    "VPCEndpoints": "NetworkingContentDelivery",
    "SimpleStorageService": "Storage",
    "SecretsManager": "SecurityIdentityCompliance",
    "KeyManagementService": "SecurityIdentityCompliance",
    "CloudWatch": "ManagementGovernance",
    "SimpleNotificationService": "ApplicationIntegration",
    "ElastiCache": "Database",
    "DynamoDB": "Database",
    "APIGateway": "ApplicationIntegration",
    "StepFunctions": "ApplicationIntegration",
    "Cognito": "SecurityIdentityCompliance",
}
#: The subnets of each security group's members, as modules/stack places them.
SUBNETS: Final = {
    "workers": "Private subnets",
    "services": "Private subnets",
    "functions": "Private subnets",
    "link": "Private subnets",
    "api": "Private subnets",
    "cache": "Data subnets",
    "index": "Private subnets",
    "entry": "Private subnets",
    "hosts": "Private subnets",
    "endpoints": "Private subnets",
    "brokers": "Data subnets",
    "clients": "",
    "rotation": "Private subnets",
}


class Box(Struct, frozen=True):
    """A box: its icon, what it is, and the security group or place that it is drawn in."""

    place: str
    icon: str
    name: str
    note: str


class Arrow(Struct, frozen=True, order=True):
    """Traffic that a firewall rule lets through."""

    source: str
    target: str
    ports: tuple[int, ...]


class Found(Struct, frozen=True):
    """A plan's resources."""

    all: list[dict[str, Any]]

    def of(self, kind: str, module: str = "") -> list[dict[str, Any]]:
        """The resources of a type, in modules with this name."""
        return [each for each in self.all if each["type"] == kind and f"module.{module}" in each["address"]]

    def values(self, kind: str, module: str = "") -> list[dict[str, Any]]:
        """Their values."""
        return [each.get("values", {}) for each in self.of(kind, module)]


def found(plan: Mapping[str, Any]) -> Found:
    """The resources of a plan (`terraform show -json`)."""
    return Found(resources(plan["planned_values"]["root_module"]))


def arrows(plan: Found) -> list[Arrow]:
    """The allowed traffic by security group. An ingress rule's description begins with the group of its source."""
    ports: dict[tuple[str, str], set[int]] = {}
    leaving = {each["index"]: each["values"]["description"] for each in plan.of("aws_vpc_security_group_egress_rule")}
    for rule in plan.of("aws_vpc_security_group_ingress_rule"):
        source = rule["values"]["description"].partition(":")[0]
        target = leaving[rule["index"]].partition(":")[0]
        ports.setdefault((source, target), set()).add(rule["values"]["from_port"])
    return sorted(Arrow(source, target, tuple(sorted(of))) for (source, target), of in ports.items())


def outward(plan: Found) -> list[str]:
    """The security groups that may call AWS, through the NAT gateways."""
    rules = plan.of("aws_vpc_security_group_egress_rule")
    return sorted(each["index"] for each in rules if each["values"].get("cidr_ipv4"))


def boxes(plan: Found) -> list[Box]:
    """Everything that runs or holds data."""
    return [*_tasks(plan), *_index(plan), *_data(plan), *_edge(plan), *_shared(plan)]


def _tasks(plan: Found) -> list[Box]:
    targets = {each["resource_id"]: each for each in plan.values("aws_appautoscaling_target") if "resource_id" in each}
    made = []
    for module, group in (("worker", "workers"), ("background", "workers"), ("service", "services")):
        for service in sorted(plan.values("aws_ecs_service", module + "["), key=lambda each: str(each["name"])):
            target = next((each for name, each in targets.items() if name.endswith(f"/{service['name']}")), None)
            note = f"{target['min_capacity']} to {target['max_capacity']} tasks" if target else "1 task"
            made.append(Box(group, "Fargate", service["name"], note))
    if plan.of("aws_ecs_task_definition", "operator"):
        made.append(Box("workers", "Fargate", "operator", "run by hand"))
    for place, inside in (("functions", True), ("AWS", False)):
        names = [
            each["index"] for each in plan.of("aws_lambda_function") if bool(each["values"]["vpc_config"]) is inside
        ]
        if names:
            made.append(Box(place, "Lambda", "Functions", ", ".join(sorted(names))))
    return made


def _index(plan: Found) -> list[Box]:
    nodes = [each["name"] for each in plan.values("aws_ecs_service", "index")]
    machines = {each["instance_type"] for each in plan.values("aws_launch_template", "index")}
    disks = [each["size"] for each in plan.values("aws_ebs_volume", "index")]
    balancers = [("entry", "index", "NLB, 6334"), ("api", "balancer", "ALB, 443"), ("link", "api[", "NLB, 443")]
    return [
        Box("index", "ElasticContainerService", "Qdrant", ", ".join(sorted(nodes))),
        Box("hosts", "EC2", "Machines", f"{len(nodes)} × {', '.join(sorted(machines))}, a disk of {disks[0]} GiB each"),
        *(
            Box(group, "ElasticLoadBalancing", "Load balancer", note)
            for group, module, note in balancers
            if plan.of("aws_lb", module)
        ),
    ]


def _data(plan: Found) -> list[Box]:
    made = []
    for cluster in plan.values("aws_msk_cluster"):
        (group,), brokers = cluster["broker_node_group_info"], cluster["number_of_broker_nodes"]
        note = f"{brokers} × {group['instance_type']}, Kafka {cluster['kafka_version'].removesuffix('.x.kraft')}"
        made.append(Box("brokers", "ManagedStreamingforApacheKafka", "MSK", note))
    for cache in plan.values("aws_elasticache_replication_group"):
        note = f"{cache['num_cache_clusters']} × {cache['node_type']}"
        made.append(Box("cache", "ElastiCache", cache["engine"].title(), note))
    if tables := plan.of("aws_dynamodb_table"):
        made.append(
            Box(
                "AWS",
                "DynamoDB",
                "Tables",
                ", ".join(sorted(each["values"]["name"].rsplit("-", 1)[1] for each in tables)),
            )
        )
    return made


def _edge(plan: Found) -> list[Box]:
    """The public address."""
    return [
        box
        for distribution in plan.values("aws_cloudfront_distribution")
        for box in (
            Box("AWS", "Route53", "DNS", ", ".join(distribution["aliases"])),
            Box("AWS", "CloudFront", "CloudFront", "the page, and /api/* to the API"),
            *(Box("AWS", "WAF", "WAF", f"{len(acl['rule'])} rules") for acl in plan.values("aws_wafv2_web_acl")),
        )
    ]


def _shared(plan: Found) -> list[Box]:
    services = sorted(
        each["index"] for each in plan.of("aws_vpc_endpoint") if each["values"]["vpc_endpoint_type"] == "Interface"
    )
    repositories = sorted(each["index"] for each in plan.of("aws_ecr_repository"))
    secrets = sorted(each["index"] for each in plan.of("aws_secretsmanager_secret"))
    keys = sorted({each["index"] for each in plan.of("aws_kms_key")})
    topics = sorted(each["values"]["name"].rsplit("-", 1)[1] for each in plan.of("aws_sns_topic"))
    operations = len(plan.of("aws_api_gateway_method")) + len(plan.of("aws_cloudformation_stack", "api["))
    counted = [
        Box("Public subnets", "VPCNATGateway", "NAT gateways", f"{len(plan.of('aws_nat_gateway'))}"),
        Box("endpoints", "VPCEndpoints", "VPC endpoints", ", ".join(services)),
        Box("AWS", "SimpleStorageService", "S3", _buckets(plan)),
        Box("AWS", "ElasticContainerRegistry", "ECR", ", ".join(repositories)),
        Box("AWS", "SecretsManager", "Secrets Manager", ", ".join(secrets)),
        Box("AWS", "KeyManagementService", "KMS", ", ".join(keys)),
        Box("AWS", "APIGateway", "API Gateway", f"{operations} operations" if operations else ""),
        Box(
            "AWS",
            "Cognito",
            "Cognito",
            ", ".join(sorted(each["name"] for each in plan.values("aws_cognito_user_pool_client"))),
        ),
        Box(
            "AWS",
            "StepFunctions",
            "Step Functions",
            ", ".join(each["name"].rsplit("-", 1)[1] for each in plan.values("aws_sfn_state_machine")),
        ),
        Box("AWS", "CloudWatch", "CloudWatch", f"{len(plan.of('aws_cloudwatch_metric_alarm'))} alarms"),
        Box("AWS", "SimpleNotificationService", "SNS", ", ".join(topics)),
    ]
    return [box for box in counted if box.note not in {"", "0"}]


def _buckets(plan: Found) -> str:
    """The purposes of all buckets, and how many of them are copied; the name ends in PURPOSE-ACCOUNT."""
    names = sorted({each["bucket"].rsplit("-", 2)[1] for each in plan.values("aws_s3_bucket")})
    copied = len(plan.of("aws_s3_bucket_replication_configuration"))
    return ", ".join(names) + (f"; {copied} are copied to a second region" if copied else "")


def render(plan: Found) -> str:
    """The source of the diagram for PlantUML.

    Raises:
        KeyError: A security group has no subnets in SUBNETS.
    """
    drawn, links = boxes(plan), arrows(plan)
    groups = sorted(each["index"] for each in plan.of("aws_security_group"))
    (vpc,) = plan.values("aws_vpc")
    zones = sorted({each["availability_zone"] for each in plan.values("aws_subnet")})
    icons = [f"!include <awslib14/{_ICONS[icon]}/{icon}>" for icon in sorted({box.icon for box in drawn})]
    places = ["Public subnets", *dict.fromkeys(SUBNETS[group] for group in groups if SUBNETS[group])]
    lines = [
        "@startuml",
        "' Made from the plan of envs/prod by `python -m tests.deploy.terraform.pages`; a test compares the two.",
        "!pragma layout smetana",
        "!include <awslib14/AWSCommon>",
        *icons,
        "skinparam shadowing false",
        f"title {vpc['tags']['Name']}: what runs, and the traffic that its firewall lets through",
        'actor "Your producers,\\nsearch apps and\\nAPI clients" as clients',
        f'rectangle "VPC {vpc["cidr_block"]}, zones {", ".join(zone[-1] for zone in zones)}" {{',
    ]
    for place in places:
        lines += [f'  rectangle "{place}" {{', *_members(place, groups, drawn), "  }"]
    lines += ["}", 'rectangle "AWS" {', *(f"  {_box(box)}" for box in drawn if box.place == "AWS"), "}"]
    lines += [f"{each.source} --> {each.target} : {', '.join(map(str, each.ports))}" for each in links]
    lines += [f"{group} ..> {_alias('NAT gateways')} : 443" for group in outward(plan)]
    if plan.of("aws_cloudfront_distribution"):
        lines += ['actor "Agents\' browsers" as browsers', "browsers ..> DNS", "browsers --> CloudFront : HTTPS"]
        lines += ["CloudFront ..> WAF", "CloudFront --> S3 : signed"]
    return "\n".join([*lines, "CloudWatch --> SNS", "@enduml", ""])


def _members(place: str, groups: list[str], drawn: list[Box]) -> list[str]:
    lines = [f"    {_box(box)}" for box in drawn if box.place == place]
    for group in groups:
        if SUBNETS[group] == place:
            inside = [f"      {_box(box)}" for box in drawn if box.place == group]
            lines += [f'    rectangle "{group}" as {group} {{', *inside, "    }"]
    return lines


def _box(box: Box) -> str:
    name = f"{box.place} {box.name}" if box.name in ("Load balancer", "Functions") else box.name
    return f'{box.icon}({_alias(name)}, "{box.name}", "{box.note}")'


def _alias(name: str) -> str:
    return re.sub(r"\W", "_", name)
