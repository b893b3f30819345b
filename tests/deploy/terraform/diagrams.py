"""The deployment diagrams (docs/uml): the whole, the callers of each function, and the firewall, made from a plan."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tests.deploy.terraform import diagram_arrows as arrows
from tests.deploy.terraform.diagram import Arrow, Box, Found, Frame, Picture, alias, merged

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
#: Security groups whose members the picture of the whole draws one by one.
GROUPS: Final = ("services", "workers")
#: Groups at one end of rules that the picture of the whole leaves to that of the firewall.
LEFT_OUT: Final = ("endpoints", "rotation", "hosts")
_CLIENTS: Final = Box("clients", "Your programs\\nin the VPC", icon="person")


def deployment(plan: Found) -> Picture:
    """The path of a request and of a ticket."""
    counted = arrows.operations(plan)
    found = [
        *arrows.public(plan),
        *([Arrow("API_Gateway", "link", f"VPC link: {counted['link']} operations")] if counted["link"] else []),
        *([Arrow("API_Gateway", "functions", f"{_by_functions(plan)} operations")] if _by_functions(plan) else []),
        *arrows.balanced(plan),
        *_as_one(plan, arrows.topics(plan)),
        *_as_one(plan, [*arrows.triggers(plan), *arrows.workflow(plan)], only=("Tables", "Step_Functions")),
        *_passed_on(plan, [*arrows.triggers(plan), *arrows.further_calls(plan)]),
        *arrows.archived(plan),
    ]
    vpc = Frame(
        _vpc_name(plan),
        [
            *(box for box in _functions_in_vpc(plan)),
            *_balancers(plan),
            Frame("services", _tasks(plan, "service"), "services"),
            Frame("workers", [*_tasks(plan, "worker"), *_tasks(plan, "background")], "workers"),
            *_data(plan),
        ],
    )
    members: list[Box | Frame] = [*_edge(plan), _CLIENTS, vpc, *_stores(plan), Frame("For all of them", _shared(plan))]
    return Picture(
        f"{_name(plan)}: the way of a request and of a ticket",
        members,
        merged([*found, *_rest_of_the_rules(plan, found, vpc), Arrow("CloudWatch", "SNS", "alarms")]),
    )


def functions(plan: Found) -> Picture:
    """The callers of each Lambda function, and its calls."""
    found = [
        *(
            Arrow("API_Gateway", name, f"{number} operation{'s' if number > 1 else ''}")
            for name, number in arrows.operations(plan).items()
            if name != "link" and number
        ),
        *arrows.triggers(plan),
        *(each for each in arrows.topics(plan) if each.source.startswith("fn_")),
        *arrows.workflow(plan),
        *arrows.further_calls(plan),
    ]
    ends = {end for each in found for end in (each.source, each.target)}
    known = {box.alias: box for box in (*_edge(plan), *_balancers(plan), *_data(plan), *_stores(plan), *_shared(plan))}
    known["EventBridge"] = Box(
        "EventBridge", "EventBridge", f"{len(plan.of('aws_cloudwatch_event_rule'))} rules", "EventBridge"
    )
    drawn = [
        Box(
            arrows.function(each["index"]),
            each["index"],
            "in the VPC" if each["values"]["vpc_config"] else "outside the VPC",
            "Lambda",
        )
        for each in plan.of("aws_lambda_function")
    ]
    own = {box.alias for box in drawn}
    drawn += [
        Box(end, end.removeprefix("fn_"), "yours", "Lambda") for end in ends if end.startswith("fn_") and end not in own
    ]
    members: list[Box | Frame] = [
        *(box for name, box in sorted(known.items()) if name in ends),
        Frame("Functions", sorted(drawn, key=lambda box: box.alias)),
    ]
    return Picture(f"{_name(plan)}: what calls each function, and what it calls", members, merged(found), sideways=True)


def firewall(plan: Found) -> Picture:
    """The security groups, and the ports between them. A group's box says if it calls AWS."""
    opened, outward = arrows.rules(plan), arrows.outward(plan)
    ways = {
        each["index"]: [
            *(["endpoints"] if (each["index"], "endpoints") in opened else []),
            *(["NAT"] if each["index"] in outward else []),
        ]
        for each in plan.of("aws_security_group")
    }
    boxes = {
        each["index"]: Box(each["index"], each["index"], _about(each["values"]["description"], ways[each["index"]]))
        for each in plan.of("aws_security_group")
    }
    places = dict.fromkeys(SUBNETS[name] for name in sorted(boxes) if SUBNETS[name])
    frames = [Frame(place, [box for name, box in boxes.items() if SUBNETS[name] == place]) for place in places]
    outside = [box for name, box in boxes.items() if not SUBNETS[name]]
    return Picture(
        f"{_name(plan)}: the firewall. Traffic that isn't shown is refused.",
        [*outside, Frame(_vpc_name(plan), frames)],
        [Arrow(*ends, ", ".join(map(str, ports))) for ends, ports in opened.items() if ends[1] != "endpoints"],
        sideways=True,
    )


def _about(description: str, ways: Sequence[str]) -> str:
    return description.rstrip(".") + (f"\\nAWS by {' and '.join(ways)}: 443" if ways else "")


#: The pictures of docs/uml by the names of their files.
PICTURES: Final[Mapping[str, Callable[[Found], Picture]]] = {
    "deployment": deployment,
    "functions": functions,
    "firewall": firewall,
}


def _rest_of_the_rules(plan: Found, found: Sequence[Arrow], vpc: Frame) -> list[Arrow]:
    """The firewall's rules between groups that no more detailed arrow joins."""
    groups = {
        box.alias: frame.alias
        for frame in vpc.members
        if isinstance(frame, Frame)
        for box in frame.members
        if isinstance(box, Box)
    }
    told = {frozenset(groups.get(end, end) for end in (each.source, each.target)) for each in found}
    return [
        Arrow(*ends, ", ".join(map(str, ports)))
        for ends, ports in arrows.rules(plan).items()
        if not {*ends} & {*LEFT_OUT} and ends[0] != ends[1] and frozenset(ends) not in told
    ]


def _as_one(plan: Found, found: Sequence[Arrow], *, only: Sequence[str] = ()) -> list[Arrow]:
    """The arrows of functions in the VPC, drawn as one box; with `only`, just those from these callers."""
    inside = {arrows.function(each["index"]) for each in plan.of("aws_lambda_function") if each["values"]["vpc_config"]}
    named = dict.fromkeys(inside, "functions")
    return [
        Arrow(named.get(each.source, each.source), named.get(each.target, each.target), each.label)
        for each in found
        if (not only or (each.source in only and each.target in inside))
        and all(end in inside or not end.startswith("fn_") for end in (each.source, each.target))
    ]


def _passed_on(plan: Found, found: Sequence[Arrow]) -> list[Arrow]:
    """An arrow from the caller of each function outside the VPC to its target, named after the function."""
    names = {arrows.function(each["index"]): each for each in plan.of("aws_lambda_function")}
    return [
        Arrow(first.source, second.target, names[first.target]["index"])
        for first in found
        for second in found
        if first.target == second.source and second.target != "SQS" and not names[first.target]["values"]["vpc_config"]
    ]


def _by_functions(plan: Found) -> int:
    return sum(number for name, number in arrows.operations(plan).items() if name != "link")


def _name(plan: Found) -> str:
    (vpc,) = plan.values("aws_vpc")
    return str(vpc["tags"]["Name"])


def _vpc_name(plan: Found) -> str:
    (vpc,) = plan.values("aws_vpc")
    zones = sorted({each["availability_zone"] for each in plan.values("aws_subnet")})
    gateways = len(plan.of("aws_nat_gateway"))
    return f"VPC {vpc['cidr_block']}, zones {', '.join(zone[-1] for zone in zones)}, {gateways} NAT gateways"


def _functions_in_vpc(plan: Found) -> list[Box]:
    names = sorted(each["index"] for each in plan.of("aws_lambda_function") if each["values"]["vpc_config"])
    return [Box("functions", "Functions", ", ".join(names), "Lambda")] if names else []


def _tasks(plan: Found, module: str) -> list[Box]:
    targets = {each["resource_id"]: each for each in plan.values("aws_appautoscaling_target") if "resource_id" in each}
    made = []
    for service in sorted(plan.values("aws_ecs_service", module + "["), key=lambda each: str(each["name"])):
        target = next((each for name, each in targets.items() if name.endswith(f"/{service['name']}")), None)
        note = f"{target['min_capacity']} to {target['max_capacity']} tasks" if target else "1 task"
        made.append(Box(alias(service["name"]), service["name"], note, "Fargate"))
    return made


def _balancers(plan: Found) -> list[Box]:
    kinds = {"network": "NLB", "application": "ALB"}
    ports = {
        each["address"].rpartition(".aws_lb_listener.")[0]: each["values"]["port"]
        for each in plan.of("aws_lb_listener")
    }
    return [
        Box(
            arrows.BALANCERS[each["values"]["name"].rsplit("-", 1)[1]],
            "Load balancer",
            f"{kinds[each['values']['load_balancer_type']]}, {ports[each['address'].rpartition('.aws_lb.')[0]]}",
            "ElasticLoadBalancing",
        )
        for each in plan.of("aws_lb")
    ]


def _data(plan: Found) -> list[Box]:
    nodes = [each["name"] for each in plan.values("aws_ecs_service", "index")]
    machines = {each["instance_type"] for each in plan.values("aws_launch_template", "index")}
    disks = [each["size"] for each in plan.values("aws_ebs_volume", "index")]
    note = f"{len(nodes)} × {', '.join(sorted(machines))}, a disk of {disks[0]} GiB each"
    made = [Box("index", "Qdrant", note, "ElasticContainerService")]
    for cluster in plan.values("aws_msk_cluster"):
        (group,), brokers = cluster["broker_node_group_info"], cluster["number_of_broker_nodes"]
        note = f"{brokers} × {group['instance_type']}, Kafka {cluster['kafka_version'].removesuffix('.x.kraft')}"
        made.append(Box("brokers", "MSK", note, "ManagedStreamingforApacheKafka"))
    for cache in plan.values("aws_elasticache_replication_group"):
        note = f"{cache['num_cache_clusters']} × {cache['node_type']}"
        made.append(Box("cache", cache["engine"].title(), note, "ElastiCache"))
    return made


def _edge(plan: Found) -> list[Box]:
    """The public address, and the API behind it."""
    made = [
        box
        for distribution in plan.values("aws_cloudfront_distribution")
        for box in (
            Box("browsers", "Agents' browsers", icon="person"),
            Box("DNS", "DNS", ", ".join(distribution["aliases"]), "Route53"),
            Box("CloudFront", "CloudFront", f"{len(distribution['origin'])} origins", "CloudFront"),
            Box("pages", "Page", "bucket pages", "SimpleStorageService"),
        )
    ]
    made += [
        Box(f"WAF_{acl['scope']}", "WAF", f"{len(acl['rule'])} rules", "WAF")
        for acl in plan.values("aws_wafv2_web_acl")
    ]
    if operations := sum(arrows.operations(plan).values()):
        made.append(Box("API_Gateway", "API Gateway", f"{operations} operations", "APIGateway"))
    if clients := sorted(each["name"] for each in plan.values("aws_cognito_user_pool_client")):
        made.append(Box("Cognito", "Cognito", ", ".join(clients), "Cognito"))
    return made


def _stores(plan: Found) -> list[Box]:
    """The reads and writes of the VPC's programs outside it."""
    tables = sorted(each["name"].rsplit("-", 1)[1] for each in plan.values("aws_dynamodb_table"))
    buckets = sorted({each["bucket"].rsplit("-", 2)[1] for each in plan.values("aws_s3_bucket")} - {"pages"})
    copied = len(plan.of("aws_s3_bucket_replication_configuration"))
    note = ", ".join(buckets) + (f"; {copied} are copied to a second region" if copied else "")
    raw = (plan.variables.get("functions") or {}).get("raw") or {}
    sources = {each.split("/")[2] for each in (plan.variables.get("producers") or {}).get("sources", [])}
    machines = [each["name"].rsplit("-", 1)[1] for each in plan.values("aws_sfn_state_machine")]
    made = [
        Box("Tables", "Tables", ", ".join(tables), "DynamoDB"),
        Box("S3", "S3", note, "SimpleStorageService"),
        Box("sources", "Your buckets", ", ".join(sorted({*sources, *raw.get("buckets", [])})), "SimpleStorageService"),
        Box("Step_Functions", "Step Functions", ", ".join(machines), "StepFunctions"),
    ]
    return [box for box in made if box.note]


def _shared(plan: Found) -> list[Box]:
    def names(kind: str) -> str:
        return ", ".join(sorted({each["index"] for each in plan.of(kind)}))

    topics = sorted(each["values"]["name"].rsplit("-", 1)[1] for each in plan.of("aws_sns_topic"))
    queues = sorted(each["values"]["name"].split("-", 2)[2] for each in plan.of("aws_sqs_queue"))
    made = [
        Box("CloudWatch", "CloudWatch", f"{len(plan.of('aws_cloudwatch_metric_alarm'))} alarms", "CloudWatch"),
        Box("SNS", "SNS", ", ".join(topics), "SimpleNotificationService"),
        Box("SQS", "SQS", ", ".join(queues), "SimpleQueueService"),
        Box("ECR", "ECR", names("aws_ecr_repository"), "ElasticContainerRegistry"),
        Box("Secrets_Manager", "Secrets Manager", names("aws_secretsmanager_secret"), "SecretsManager"),
        Box("KMS", "KMS", names("aws_kms_key"), "KeyManagementService"),
    ]
    return [box for box in made if box.note]
