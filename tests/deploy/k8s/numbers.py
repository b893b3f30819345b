"""Rules that compare the manifests with deploy/sizes.yaml and with each other."""

from collections.abc import Iterator
from typing import Any, Final

from core.setting_types import PREFIX
from tests.deploy.k8s.stack import BACKGROUND, Manifest, Stack, container, declared, name_of, partitions, pod, selects

SIZES: Final = declared("sizes.yaml")
#: KEDA's names of the SASL mechanisms.
_SASL: Final = {
    None: None,
    "PLAIN": "plaintext",
    "SCRAM-SHA-256": "scram_sha256",
    "SCRAM-SHA-512": "scram_sha512",
    "OAUTHBEARER": "oauthbearer",
    "AWS_MSK_IAM": "oauthbearer",
}
_PROBES: Final = {"startupProbe": "live", "livenessProbe": "live", "readinessProbe": "ready"}


def sizes(stack: Stack) -> Iterator[str]:
    """Every number equals that of deploy/sizes.yaml."""
    for worker in stack.workers:
        role = SIZES["roles"][worker["metadata"]["name"]]
        yield from _sized(stack, worker, role | SIZES["task"], {f"{PREFIX}HEALTH__PORT": str(role["port"])})
    for service in stack.services:
        yield from _sized(stack, service, SIZES["services"][service["metadata"]["name"]], {})
    for service in stack.background:
        size = SIZES["background"][service["metadata"]["name"]]
        yield from _sized(stack, service, size, {f"{PREFIX}HEALTH__PORT": str(size["port"])})


def _sized(stack: Stack, worker: Manifest, size: dict[str, Any], settings: dict[str, str]) -> Iterator[str]:
    variables = stack.variables(worker)
    found = {
        "module": container(worker).get("args"),
        "port": [port["containerPort"] for port in container(worker)["ports"]],
        **{name: variables.get(name) for name in (f"{PREFIX}HEALTH__PORT", f"{PREFIX}MODEL__THREADS")},
        "terminationGracePeriodSeconds": pod(worker).get("terminationGracePeriodSeconds"),
        **{probe: container(worker).get(probe, {}).get("httpGet") for probe in _PROBES},
        **{f"{kind} of {what}": of for kind, what, of in _amounts(worker)},
    }
    # The ticket API and services without requests have no model.
    modelless = worker["metadata"]["name"] in {"tickets", *BACKGROUND}
    wanted = {
        "module": [size["module"]] if "module" in size else ["archive", "run"],
        "port": [size["port"]],
        **settings,
        **({} if modelless else {f"{PREFIX}MODEL__THREADS": str(size["vcpu"])}),
        "terminationGracePeriodSeconds": size.get("stop_timeout_s", SIZES["stop_timeout_s"]),
        **{probe: {"path": SIZES["health"][path], "port": "http"} for probe, path in _PROBES.items()},
        **{f"{kind} of cpu": str(size["vcpu"]) for kind in ("requests", "limits")},
        **{f"{kind} of memory": f"{size['memory_mib'] // 1024}Gi" for kind in ("requests", "limits")},
    }
    for what, number in wanted.items():
        if found.get(what) != number:
            yield f"{name_of(worker)}: {what} is {found.get(what)}, and deploy/sizes.yaml says {number}"


def _amounts(worker: Manifest) -> Iterator[tuple[str, str, str]]:
    for kind, amounts in container(worker).get("resources", {}).items():
        for what, amount in amounts.items():
            yield kind, what, amount


def drain(stack: Stack) -> Iterator[str]:
    """The grace period is longer than a drain by ten seconds; a service of requests or without goes on meanwhile."""
    for worker in stack.workers:
        limit, grace = stack.settings(worker).writer.drain_timeout_s, pod(worker)["terminationGracePeriodSeconds"]
        if limit + 10 > grace:
            yield f"{name_of(worker)}: it drains for {limit:.0f} s and is killed after {grace} s"
    for service in stack.background:
        strategy = service["spec"]["strategy"]["rollingUpdate"]
        if (strategy.get("maxSurge"), strategy.get("maxUnavailable")) != (1, 0):
            yield f"{name_of(service)}: a rollout leaves it without a pod; let the new one begin first (maxSurge: 1)"
    for service in stack.services:
        waits = container(service).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if waits < 5:
            yield f"{name_of(service)}: it stops at once, while requests still arrive; let preStop sleep for 5 s"


def scaling(stack: Stack) -> Iterator[str]:
    """Every worker in production scales by lag, up to the number of partitions, and every service by CPU."""
    for service in stack.services:
        yield from _by_load(stack, service, SIZES["services"][service["metadata"]["name"]])
    for service in stack.background:
        size = SIZES["background"][service["metadata"]["name"]]
        if size["max_tasks"] > size["min_tasks"]:
            yield from _by_load(stack, service, size)
        elif service["spec"].get("replicas") != size["max_tasks"]:
            yield f"{name_of(service)}: replicas is not {size['max_tasks']}, as deploy/sizes.yaml says"
    for worker in stack.workers:
        name = worker["metadata"]["name"]
        scaled, replicas = stack.find("ScaledObject", name), worker["spec"].get("replicas")
        if scaled is None and (stack.production or replicas != 1):
            yield f"Deployment/{name}: nothing scales it; add a ScaledObject, or replicas: 1 in dev"
        if scaled is not None and replicas is not None:
            yield f"Deployment/{name}: it has replicas, which an apply would reset against the ScaledObject"
    for scaled in stack.of("ScaledObject"):
        worker_ = stack.find("Deployment", scaled["spec"]["scaleTargetRef"]["name"])
        if worker_ is None:
            yield f"{name_of(scaled)}: it scales {scaled['spec']['scaleTargetRef']['name']}, which isn't there"
        else:
            yield from _scaled(stack, scaled, worker_)


def _by_load(stack: Stack, service: Manifest, size: dict[str, Any]) -> Iterator[str]:
    name = service["metadata"]["name"]
    scaler = stack.find("HorizontalPodAutoscaler", name)
    if scaler is None or scaler["spec"]["scaleTargetRef"]["name"] != name:
        yield f"{name_of(service)}: no HorizontalPodAutoscaler of its name scales it"
        return
    if "replicas" in service["spec"]:
        yield f"{name_of(service)}: it has replicas, which an apply would reset against the HorizontalPodAutoscaler"
    spec = scaler["spec"]
    for what, number in (("minReplicas", size["min_tasks"]), ("maxReplicas", size["max_tasks"])):
        if spec.get(what) != number:
            yield f"{name_of(scaler)}: {what} is {spec.get(what)}, and deploy/sizes.yaml says {number}"
    if [metric["resource"]["name"] for metric in spec["metrics"]] != ["cpu"]:
        yield f"{name_of(scaler)}: it should scale by CPU"


def _scaled(stack: Stack, scaled: Manifest, worker: Manifest) -> Iterator[str]:
    spec, role, name = scaled["spec"], SIZES["roles"][worker["metadata"]["name"]], name_of(scaled)
    (trigger,) = spec["triggers"]
    metadata = trigger["metadata"]
    if trigger["type"] != "kafka":
        yield f"{name}: it scales on {trigger['type']}; scale by lag, which alone measures the work"
        return
    most = partitions()[role["reads"]]
    if spec["maxReplicaCount"] > most:
        yield f"{name}: maxReplicaCount is {spec['maxReplicaCount']}, and {role['reads']} has {most} partitions"
    kafka = stack.settings(worker).kafka
    secured = kafka.security_protocol != "PLAINTEXT"
    wanted = {
        "minReplicaCount": (spec.get("minReplicaCount"), role["min_tasks"]),
        "maxReplicaCount": (spec.get("maxReplicaCount"), role["max_tasks"]),
        "topic": (metadata.get("topic"), role["reads"]),
        "consumerGroup": (metadata.get("consumerGroup"), kafka.group + role["group"].removeprefix("ticketstream")),
        "lagThreshold": (metadata.get("lagThreshold"), str(role["target_lag"])),
        "bootstrapServers": (metadata.get("bootstrapServers"), kafka.brokers),
        "offsetResetPolicy": (metadata.get("offsetResetPolicy"), "earliest"),
        "tls": (metadata.get("tls"), "enable" if secured else None),
        "sasl": (metadata.get("sasl"), _SASL[kafka.sasl_mechanism]),
    }
    for what, (found, needed) in wanted.items():
        if found != needed:
            yield f"{name}: {what} is {found}, and the worker or deploy/sizes.yaml has {needed}"
    reference = trigger.get("authenticationRef", {}).get("name")
    if secured and stack.find("TriggerAuthentication", str(reference)) is None:
        yield f"{name}: it has no authentication, and {kafka.security_protocol} asks for one"


def disruption(stack: Stack) -> Iterator[str]:
    """Each worker and service has one disruption budget, which doesn't block the drain of a node."""
    for worker in stack.deployments:
        labels = worker["spec"]["template"]["metadata"]["labels"]
        budgets = [b for b in stack.of("PodDisruptionBudget") if selects(b["spec"]["selector"], labels)]
        if len(budgets) != 1:
            yield f"{name_of(worker)}: {len(budgets)} disruption budgets select its pods; there should be one"
        for budget in budgets:
            if budget["spec"].get("maxUnavailable") != 1:
                yield f"{name_of(budget)}: maxUnavailable should be 1, so that a drain evicts one task at a time"
            if budget["spec"].get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
                yield f"{name_of(budget)}: in an outage it would block the drain of a node; use AlwaysAllow"


NUMBERS: Final = {"sizes": sizes, "drain": drain, "scaling": scaling, "disruption": disruption}
