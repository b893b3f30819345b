"""Typical mistakes in a manifest, each with the sentence that the rules must yield."""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from tests.deploy.k8s.stack import Manifest, Stack, container, pod


class Mutant(Struct, frozen=True):
    """`change` breaks the overlay; one of the findings must contain `said`."""

    overlay: str
    change: Callable[[Stack], Any]
    said: str


def find(stack: Stack, kind: str, name: str = "") -> Manifest:
    """The one object of that kind whose name starts with `name`."""
    (found,) = [one for one in stack.of(kind) if one["metadata"]["name"].startswith(name)]
    return found


def _pod(stack: Stack) -> Any:
    return pod(stack.workers[0])


def _container(stack: Stack) -> Any:
    return container(stack.workers[0])


def _config(stack: Stack) -> Any:
    return find(stack, "ConfigMap", "settings")["data"]


def _scaled(stack: Stack) -> Any:
    return stack.of("ScaledObject")[0]["spec"]


def _trigger(stack: Stack) -> Any:
    return _scaled(stack)["triggers"][0]["metadata"]


def _variable(stack: Stack, name: str, value: str) -> None:
    entries = _container(stack)["env"]
    entries[:] = [entry for entry in entries if entry["name"] != name] + [{"name": name, "value": value}]


def remove(stack: Stack, kind: str, name: str = "") -> None:
    """Take that object out."""
    stack.objects.remove(find(stack, kind, name))


def _single(stack: Stack) -> None:
    for found in stack.workers:
        found["metadata"]["name"] = found["metadata"]["name"].replace("enrichment", "pipeline")


_MISSING_SETTINGS: Final = {"configMapRef": {"name": "nowhere"}}

_PODS: Final = {
    "root": Mutant("prod", lambda s: _pod(s)["securityContext"].update(runAsUser=0), "runs as root"),
    "possibly root": Mutant(
        "prod", lambda s: _pod(s)["securityContext"].pop("runAsNonRoot"), "runAsNonRoot is not true"
    ),
    "no seccomp": Mutant("dev", lambda s: _pod(s)["securityContext"].pop("seccompProfile"), "seccompProfile"),
    "privileged": Mutant("prod", lambda s: _container(s)["securityContext"].update(privileged=True), "is privileged"),
    "escalation": Mutant(
        "prod", lambda s: _container(s)["securityContext"].pop("allowPrivilegeEscalation"), "PrivilegeEscalation"
    ),
    "capabilities": Mutant(
        "prod", lambda s: _container(s)["securityContext"].pop("capabilities"), "keeps capabilities"
    ),
    "an added capability": Mutant(
        "prod",
        lambda s: _container(s)["securityContext"]["capabilities"].update(add=["SYS_PTRACE"]),
        "adds capabilities",
    ),
    "the node's network": Mutant("prod", lambda s: _pod(s).update(hostNetwork=True), "hostNetwork"),
    "the node's port": Mutant("prod", lambda s: _container(s)["ports"][0].update(hostPort=8080), "port of the node"),
    "the node's folder": Mutant(
        "dev", lambda s: _pod(s)["volumes"].append({"name": "h", "hostPath": {"path": "/"}}), "is a hostPath"
    ),
    "an init container as root": Mutant(
        "prod", lambda s: _pod(s).update(initContainers=[{"name": "fix", "securityContext": {"runAsUser": 0}}]), "root"
    ),
    "a namespace without enforcement": Mutant(
        "prod", lambda s: find(s, "Namespace")["metadata"].pop("labels"), "enforce is not restricted"
    ),
    # hardened
    "a writable root": Mutant(
        "prod", lambda s: _container(s)["securityContext"].update(readOnlyRootFilesystem=False), "is writable"
    ),
    "scratch without a limit": Mutant("prod", lambda s: _pod(s)["volumes"][0].update(emptyDir={}), "may fill the node"),
    "an API token": Mutant("prod", lambda s: _pod(s).pop("automountServiceAccountToken"), "token for the API server"),
    "variables from Services": Mutant("prod", lambda s: _pod(s).pop("enableServiceLinks"), "enableServiceLinks"),
    "no limits": Mutant("prod", lambda s: _container(s)["resources"].pop("limits"), "requests and limits differ"),
    "all on one node": Mutant("prod", lambda s: _pod(s).pop("topologySpreadConstraints"), "not spread"),
}

_NUMBERS: Final = {
    "another port": Mutant("prod", lambda s: _container(s)["ports"][0].update(containerPort=9000), "port is [9000]"),
    "a port without a listener": Mutant("prod", lambda s: _variable(s, "TICKETS_HEALTH__PORT", "9"), "HEALTH__PORT"),
    "another module": Mutant("prod-single", lambda s: _container(s).update(args=["dataflows.raw"]), "module is"),
    "another readiness path": Mutant(
        "prod", lambda s: _container(s)["readinessProbe"]["httpGet"].update(path="/readyz"), "readinessProbe is"
    ),
    "no liveness probe": Mutant("prod", lambda s: _container(s).pop("livenessProbe"), "livenessProbe is None"),
    "a short grace period": Mutant("dev", lambda s: _pod(s).update(terminationGracePeriodSeconds=30), "Seconds is 30"),
    "half the memory": Mutant(
        "prod", lambda s: _container(s)["resources"]["limits"].update(memory="2Gi"), "limits of memory is 2Gi"
    ),
    "a thread for each of the node's cores": Mutant(
        "prod", lambda s: _config(s).pop("TICKETS_MODEL__THREADS"), "THREADS"
    ),
    "a drain longer than the grace period": Mutant(
        "prod", lambda s: _config(s).update(TICKETS_WRITER__DRAIN_TIMEOUT_S="120"), "drains for 120 s and is killed"
    ),
    "more tasks than partitions": Mutant(
        "prod", lambda s: _scaled(s).update(maxReplicaCount=13), "13, and tickets.enriched has 12 partitions"
    ),
    "another target lag": Mutant("prod", lambda s: _trigger(s).update(lagThreshold="10"), "lagThreshold is 10"),
    "the lag of another group": Mutant(
        "next", lambda s: _trigger(s).update(consumerGroup="ticketstream"), "consumerGroup is ticketstream"
    ),
    "the lag of another topic": Mutant(
        "prod", lambda s: _trigger(s).update(topic="tickets.dlq"), "topic is tickets.dlq"
    ),
    "the lag of another cluster": Mutant(
        "prod", lambda s: _trigger(s).update(bootstrapServers="k:1"), "bootstrapServers"
    ),
    "lag read without TLS": Mutant("prod", lambda s: _trigger(s).pop("tls"), "tls is None"),
    "lag read without a user": Mutant(
        "prod", lambda s: _scaled(s)["triggers"][0].pop("authenticationRef"), "has no authentication"
    ),
    "scaling by CPU": Mutant("prod-single", lambda s: _scaled(s)["triggers"][0].update(type="cpu"), "scales on cpu"),
    "a fixed number of tasks": Mutant("prod", lambda s: s.workers[0]["spec"].update(replicas=3), "would reset"),
    "no scaling": Mutant("prod", lambda s: remove(s, "ScaledObject", "embedding"), "nothing scales it"),
    "two workers on one embedded index": Mutant(
        "dev", lambda s: s.workers[0]["spec"].update(replicas=2), "nothing scales it"
    ),
    "scaling of a missing Deployment": Mutant(
        "prod-single", lambda s: _scaled(s)["scaleTargetRef"].update(name="worker"), "which isn't there"
    ),
    "no budget": Mutant("prod", lambda s: remove(s, "PodDisruptionBudget", "embedding"), "0 disruption budgets"),
    "a budget that blocks every drain": Mutant(
        "prod", lambda s: find(s, "PodDisruptionBudget", "embedding")["spec"].update(maxUnavailable=0), "should be 1"
    ),
    "a budget that blocks drains in an outage": Mutant(
        "prod-single", lambda s: find(s, "PodDisruptionBudget")["spec"].pop("unhealthyPodEvictionPolicy"), "AlwaysAllow"
    ),
}

_ACCESS: Final = {
    "Kafka without encryption": Mutant(
        "prod", lambda s: _config(s).update(TICKETS_KAFKA__SECURITY_PROTOCOL="PLAINTEXT"), "protocol is PLAINTEXT"
    ),
    "a password without encryption": Mutant(
        "prod",
        lambda s: _config(s).update(TICKETS_KAFKA__SECURITY_PROTOCOL="SASL_PLAINTEXT"),
        "protocol is SASL_PLAINTEXT",
    ),
    "Kafka with the default protocol": Mutant(
        "prod-single", lambda s: _config(s).pop("TICKETS_KAFKA__SECURITY_PROTOCOL"), "protocol is PLAINTEXT"
    ),
    "Qdrant without encryption": Mutant(
        "prod", lambda s: _config(s).update(TICKETS_INDEX__URL="http://qdrant:6334"), "needs a server with https"
    ),
    "an embedded index": Mutant("prod", lambda s: _config(s).pop("TICKETS_INDEX__URL"), "the index is embedded"),
    "Qdrant without a key": Mutant("prod", lambda s: _container(s)["env"].pop(0), "has no API key"),
    "one copy of the index": Mutant(
        "prod", lambda s: _config(s).pop("TICKETS_INDEX__REPLICATION_FACTOR"), "1 copies of the index"
    ),
    "a Secret in a file": Mutant(
        "prod", lambda s: s.objects.append({"kind": "Secret", "metadata": {"name": "kafka"}}), "a file is plain text"
    ),
    "a password in the pod": Mutant(
        "prod", lambda s: _variable(s, "TICKETS_KAFKA__SASL_PASSWORD", "hunter2"), "SASL_PASSWORD is in plain text"
    ),
    "a key in the settings": Mutant(
        "dev", lambda s: _config(s).update(TICKETS_INDEX__API_KEY="hunter2"), "INDEX__API_KEY is in plain text"
    ),
    "a password in the settings, and a Secret over it": Mutant(
        "prod", lambda s: _config(s).update(TICKETS_KAFKA__SASL_PASSWORD="hunter2"), "SASL_PASSWORD is in plain text"
    ),
    "a password in an address": Mutant(
        "dev",
        lambda s: _config(s).update(TICKETS_MODEL__STORE="s3://me:hunter2@models"),
        "MODEL__STORE is in plain text",
    ),
    "options that may hold a password": Mutant(
        "dev", lambda s: _config(s).update(TICKETS_KAFKA__EXTRA='{"sasl.password": "x"}'), "EXTRA is in plain text"
    ),
    "a password in the trigger": Mutant(
        "prod", lambda s: _trigger(s).update(password="hunter2"), "TriggerAuthentication"
    ),
    "the latest image": Mutant("prod", lambda s: _container(s).update(image="r.io/ticketstream:latest"), "tomorrow"),
    "an image without a tag": Mutant("dev", lambda s: _container(s).update(image="r.io:5000/ticketstream"), "tomorrow"),
    "another version": Mutant("prod", lambda s: _container(s).update(image="ticketstream:0.0.9"), "is not of version"),
    "an open namespace": Mutant("prod", lambda s: remove(s, "NetworkPolicy", "default-deny"), "denies all traffic"),
    "a deny without egress": Mutant(
        "prod", lambda s: find(s, "NetworkPolicy", "default-deny")["spec"].update(policyTypes=["Ingress"]), "denies all"
    ),
    "egress to all addresses": Mutant(
        "prod", lambda s: find(s, "NetworkPolicy", "kafka")["spec"]["egress"].append({}), "open to all addresses"
    ),
    "egress to the internet": Mutant(
        "prod",
        lambda s: find(s, "NetworkPolicy", "kafka")["spec"]["egress"][0].update(
            to=[{"ipBlock": {"cidr": "0.0.0.0/0"}}]
        ),
        "open to the internet",
    ),
    "Kafka at a denied port": Mutant(
        "prod",
        lambda s: _config(s).update(TICKETS_KAFKA__BROKERS="b-1.kafka.example.com:9094"),
        "it needs 53, 6334, 9094",
    ),
    "enrichment reaches the index": Mutant(
        "prod",
        lambda s: find(s, "NetworkPolicy", "qdrant")["spec"]["podSelector"].pop("matchExpressions"),
        "egress is allowed at",
    ),
    "scraping denied": Mutant("dev", lambda s: remove(s, "NetworkPolicy", "scraping"), "ingress is allowed at no port"),
}

_REST: Final = {
    "one process and a role": Mutant("prod", _single, "it runs embedding, pipeline"),
    "an unknown setting": Mutant("prod", lambda s: _config(s).update(TICKETS_KAFKA__BROKER="k:9"), "is not a setting"),
    "a setting of the wrong kind": Mutant("dev", lambda s: _config(s).update(TICKETS_MODEL__THREADS="two"), "THREADS"),
    "pods that no selector matches": Mutant(
        "prod", lambda s: s.workers[0]["spec"]["selector"]["matchLabels"].update(app="x"), "doesn't match its own pods"
    ),
    "a missing service account": Mutant("prod", lambda s: remove(s, "ServiceAccount"), "account is missing"),
    "missing settings": Mutant("dev", lambda s: _container(s)["envFrom"].append(_MISSING_SETTINGS), "are missing"),
    "a mount without a volume": Mutant("prod", lambda s: _pod(s).update(volumes=[]), "isn't a volume of its pod"),
    "a missing claim": Mutant("dev", lambda s: remove(s, "PersistentVolumeClaim"), "claim index is missing"),
    "no scraping": Mutant("prod", lambda s: remove(s, "PodMonitor"), "should scrape it once"),
}

MUTANTS: Final[dict[str, Mutant]] = {**_PODS, **_NUMBERS, **_ACCESS, **_REST}
