"""The arrows of the deployment diagrams, each derived from a plan."""

import json
from collections import Counter
from typing import Any, Final

from tests.deploy.terraform.diagram import Arrow, Found, alias
from tests.deploy.terraform.workspace import DEPLOY

#: The alias of each load balancer, by the end of its name.
BALANCERS: Final = {"link": "link", "index": "entry", "api": "api"}
#: What a web ACL of each scope protects.
PROTECTED: Final = {"CLOUDFRONT": "CloudFront", "REGIONAL": "API_Gateway"}
_WORKFLOW: Final = DEPLOY / "terraform" / "modules" / "workflow" / "workflow.asl.json"
#: Who calls a function with a permission, and what for.
_CALLERS: Final = {
    "cognito-idp.amazonaws.com": ("Cognito", "each token"),
    "events.amazonaws.com": ("EventBridge", "events"),
    "s3.amazonaws.com": ("sources", "new objects"),
    "secretsmanager.amazonaws.com": ("Secrets_Manager", "rotation"),
}


def function(name: str) -> str:
    """The alias of a function."""
    return f"fn_{name}"


def rules(plan: Found) -> dict[tuple[str, str], list[int]]:
    """The ports that the firewall opens between two security groups.

    The description of a rule begins with the group at its other end.
    """
    ports: dict[tuple[str, str], set[int]] = {}
    leaving = {each["index"]: each["values"]["description"] for each in plan.of("aws_vpc_security_group_egress_rule")}
    for rule in plan.of("aws_vpc_security_group_ingress_rule"):
        ends = (rule["values"]["description"].partition(":")[0], leaving[rule["index"]].partition(":")[0])
        ports.setdefault(ends, set()).add(rule["values"]["from_port"])
    return {ends: sorted(of) for ends, of in sorted(ports.items())}


def outward(plan: Found) -> list[str]:
    """The security groups that may call AWS, through the NAT gateways."""
    found = plan.of("aws_vpc_security_group_egress_rule")
    return sorted(each["index"] for each in found if each["values"].get("cidr_ipv4"))


def public(plan: Found) -> list[Arrow]:
    """The arrows of browsers, of the distribution's origins with their paths, and of checks of requests.

    Raises:
        ValueError: An origin is neither a bucket nor an API of API Gateway.
    """
    arrows = []
    for distribution in plan.values("aws_cloudfront_distribution"):
        paths: dict[str, list[str]] = {}
        for behaviour in (*distribution["default_cache_behavior"], *distribution["ordered_cache_behavior"]):
            paths.setdefault(behaviour["target_origin_id"], []).append(behaviour.get("path_pattern", "/*"))
        arrows += [
            Arrow("CloudFront", _origin(origin), ", ".join(sorted(paths[origin["origin_id"]])))
            for origin in distribution["origin"]
        ]
        arrows += [Arrow("browsers", "DNS", dotted=True), Arrow("browsers", "CloudFront", "HTTPS")]
    for acl in plan.values("aws_wafv2_web_acl"):
        arrows.append(Arrow(PROTECTED[acl["scope"]], f"WAF_{acl['scope']}", "checks", dotted=True))
    if any(each.get("callback_urls") for each in plan.values("aws_cognito_user_pool_client")):
        arrows.append(Arrow("browsers", "Cognito", "sign-in"))
    for authorizer in plan.values("aws_api_gateway_authorizer"):
        assert authorizer["type"] == "COGNITO_USER_POOLS"
        arrows.append(Arrow("API_Gateway", "Cognito", "tokens", dotted=True))
    return arrows


def _origin(origin: dict[str, Any]) -> str:
    if not origin["custom_origin_config"]:
        return "pages"
    if ".execute-api." in origin["domain_name"]:
        return "API_Gateway"
    raise ValueError(f"the origin {origin['domain_name']} isn't drawn")


def operations(plan: Found) -> Counter[str]:
    """The number of the API's operations that each function, or the load balancer of the VPC link, answers."""
    found = Counter(
        function(plan.functions()[each["function_name"]])
        for each in plan.values("aws_lambda_permission")
        if each["principal"] == "apigateway.amazonaws.com"
    )
    links = [each["connection_type"] for each in plan.values("aws_api_gateway_integration")]
    for stack in plan.values("aws_cloudformation_stack"):
        methods = json.loads(stack["template_body"])["Resources"].values()
        links += [method["Properties"]["Integration"]["ConnectionType"] for method in methods]
    found["link"] = links.count("VPC_LINK")
    return found


def balanced(plan: Found) -> list[Arrow]:
    """From each load balancer to its targets: another load balancer, or containers with their port."""
    names = {each["values"]["name"].rsplit("-", 1)[1]: each for each in plan.of("aws_lb")}
    (application,) = (BALANCERS[name] for name, lb in names.items() if lb["values"]["load_balancer_type"] != "network")
    arrows = set()
    for name, balancer in names.items():
        module = balancer["address"].rpartition(".aws_lb.")[0]
        for group in plan.of("aws_lb_target_group"):
            if group["address"].rpartition(".aws_lb_target_group.")[0] != module:
                continue
            port = group["values"]["port"]
            targets = [application] if group["values"]["target_type"] == "alb" else _behind(plan, port)
            arrows |= {Arrow(BALANCERS[name], target, str(port)) for target in targets}
    return sorted(arrows)


def _behind(plan: Found, port: int) -> list[str]:
    """The aliases of the services whose containers take this port from a load balancer."""
    return [
        "index" if ".module.index." in each["address"] else alias(each["values"]["name"])
        for each in plan.of("aws_ecs_service")
        for balancer in each["values"]["load_balancer"]
        if balancer["container_port"] == port
    ]


def topics(plan: Found) -> list[Arrow]:
    """The topics between tasks, functions and the brokers, without the operator's and the dead-letter topic."""
    tasks = {each["name"] for each in plan.values("aws_ecs_service")}
    arrows = []
    for name, used in plan.outputs["topics"].items():
        end = alias(name) if name in tasks else function(name)
        if name != "operator":
            arrows += [Arrow("brokers", end, topic) for topic in used["reads"]]
            arrows += [Arrow(end, "brokers", topic) for topic in used["writes"] if topic != "tickets.dlq"]
    return arrows


def archived(plan: Found) -> list[Arrow]:
    """Files that producers read, and the bucket of the name of a task, which writes it."""
    buckets = {each["bucket"].rsplit("-", 2)[1] for each in plan.values("aws_s3_bucket")}
    tasks = {each["name"] for each in plan.values("aws_ecs_service", "background[")}
    arrows = [Arrow(alias(name), "S3", f"bucket {name}") for name in sorted(tasks & buckets)]
    return arrows + ([Arrow("sources", "producer", "files")] if plan.variables.get("producers") else [])


def triggers(plan: Found) -> list[Arrow]:
    """The callers of each function other than API Gateway: streams, and services with a permission."""
    arrows = []
    for mapping in plan.of("aws_lambda_event_source_mapping"):
        name = mapping["address"].rpartition("mapping.")[2].partition("[")[0]
        called = next(each for each in plan.functions().values() if each in (name, f"workflow_{name}"))
        arrows.append(Arrow("Tables", function(called), "stream"))
    schedules = {each["name"]: each["schedule_expression"] for each in plan.values("aws_cloudwatch_event_rule")}
    for permission in plan.values("aws_lambda_permission"):
        if permission["principal"] == "apigateway.amazonaws.com":
            continue
        caller, why = _CALLERS[permission["principal"]]
        name = permission["function_name"].rpartition(":")[2]
        called = plan.functions().get(name, "rotation")  # which may be yours
        arrows.append(Arrow(caller, function(called), schedules.get(name) or why))
    return arrows


def workflow(plan: Found) -> list[Arrow]:
    """The workflow's starters, steps and results."""
    if not plan.of("aws_sfn_state_machine"):
        return []
    arrows = []
    for name, state in json.loads(_WORKFLOW.read_text())["States"].items():
        called = state.get("Resource", "").rpartition(":::")[2]
        if called == "lambda:invoke":
            step = state["Arguments"]["FunctionName"].strip("${}")
            arrows.append(Arrow("Step_Functions", function(f"workflow_{step}"), name))
        elif called:
            assert called == "sns:publish"
            arrows.append(Arrow("Step_Functions", "SNS", name))
    patterns = [each.get("event_pattern") or "" for each in plan.values("aws_cloudwatch_event_rule")]
    failed = any("stateMachineArn" in pattern for pattern in patterns)
    return arrows + [Arrow("Step_Functions", "SQS", "failed executions")] * failed


def further_calls(plan: Found) -> list[Arrow]:
    """The calls that a function's settings name, and the queue of the events with which it failed."""
    arrows = []
    for each in plan.of("aws_lambda_function"):
        name = function(each["index"])
        settings = {key for one in each["values"]["environment"] for key in one.get("variables") or {}}
        targets = {"TICKETS_CLIENT__RAG_URL": "api", "TICKETS_WORKFLOW__STATE_MACHINE_ARN": "Step_Functions"}
        arrows += [Arrow(name, target) for setting, target in targets.items() if setting in settings]
        arrows += [Arrow(name, "SQS", "dead letters") for _ in each["values"]["dead_letter_config"]]
    return arrows
