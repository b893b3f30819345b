"""Rules on encryption, secrets, images and network policies."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from core.setting_types import PREFIX
from core.settings import Settings
from tests.deploy.k8s.stack import BACKGROUND, ROOT, Manifest, Stack, container, name_of, selects

_VERSION: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
_LIKE_A_SECRET: Final = re.compile(r"password|secret|token(?!s)|api[-_]?key|private", re.IGNORECASE)
_USER_IN_URL: Final = re.compile(r"://[^/\s]*:[^/\s]*@")


def encrypted(stack: Stack) -> Iterator[str]:
    """In production all traffic is encrypted and authenticated, and the index has three copies."""
    for worker in stack.workers if stack.production else ():
        found, name = stack.settings(worker), name_of(worker)
        if found.kafka.security_protocol not in ("SSL", "SASL_SSL"):
            yield f"{name}: Kafka's protocol is {found.kafka.security_protocol}; production needs SSL or SASL_SSL"
        if worker["metadata"]["name"] == "enrichment":
            continue
        if urlsplit(found.index.url or "").scheme != "https":
            yield f"{name}: the index is {found.index.url or 'embedded'}; production needs a server with https"
        if found.index.api_key is None:
            yield f"{name}: Qdrant has no API key"
        if found.index.replication_factor < 3:
            yield f"{name}: {found.index.replication_factor} copies of the index; production needs 3"
    for service in stack.background:
        yield from _unattended(name_of(service), stack.settings(service))
    for service in stack.services:
        yield from _shared(name_of(service), stack.settings(service))


def _shared(name: str, found: Settings) -> Iterator[str]:
    """Faults in what the pods of an HTTP service share, and in whose tokens they accept."""
    if found.kafka.security_protocol not in ("SSL", "SASL_SSL"):
        yield f"{name}: Kafka's protocol is {found.kafka.security_protocol}; production needs SSL or SASL_SSL"
    if urlsplit(found.index.url or "").scheme != "https":
        yield f"{name}: the index is {found.index.url or 'embedded'}; production needs a server with https"
    if urlsplit(found.cache.url or "").scheme != "rediss" or found.cache.password is None:
        yield f"{name}: its pods need one cache, with a password over TLS (rediss://)"
    if found.api.store != "dynamodb":
        yield f"{name}: its pods need one store of tickets; {found.api.store} is a file of each"
    if found.sessions.store != "dynamodb":
        yield f"{name}: its pods need one store of ended sign-ins; {found.sessions.store} is each one's own"
    if found.rag.feedback_store != "dynamodb":
        yield f"{name}: its pods need one store of feedback; {found.rag.feedback_store} is a file of each"
    if urlsplit(found.auth.issuer or "").scheme != "https" or not (found.auth.client_ids or found.auth.audiences):
        yield f"{name}: it needs an issuer with https, and clients or audiences"
    if found.limits.trusted_proxies != 1:
        yield f"{name}: behind an ingress TICKETS_LIMITS__TRUSTED_PROXIES is 1, or all callers have one address"


def _unattended(name: str, found: Settings) -> Iterator[str]:
    """Faults in what the archiver and the producers share with nobody, or keep in a pod."""
    if found.kafka.security_protocol not in ("SSL", "SASL_SSL"):
        yield f"{name}: Kafka's protocol is {found.kafka.security_protocol}; production needs SSL or SASL_SSL"
    if not (found.archive.place or "").startswith("s3://"):
        yield f"{name}: the archive is {found.archive.place}, which ends with its pod; name a bucket"
    if found.producer.store != "dynamodb":
        yield f"{name}: the producers need one store of checkpoints; {found.producer.store} is a file of each"
    if not all(place.startswith("s3://") for place in found.producer.sources.split(",")):
        yield f"{name}: a source is a folder, which the producers' pods don't share"


def secrets(stack: Stack) -> Iterator[str]:
    """Every secret is a reference to a Secret that isn't in the repository."""
    for found in stack.of("Secret"):
        yield f"{name_of(found)}: a Secret in a file is plain text; create it on the cluster"
    known = set(_secret_variables())
    for owner, name, value in _written_down(stack):
        if name in known or _LIKE_A_SECRET.search(name) or _USER_IN_URL.search(value):
            yield f"{owner}: {name} is in plain text; take it from a Secret with secretKeyRef"
    for scaled in stack.of("ScaledObject"):
        for name in scaled["spec"]["triggers"][0]["metadata"]:
            if _LIKE_A_SECRET.search(name):
                yield f"{name_of(scaled)}: {name} is in plain text; use a TriggerAuthentication"


def _written_down(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Owner, name and value of every variable in plain text, even one that is overridden."""
    for config in stack.of("ConfigMap"):
        yield from ((name_of(config), name, value) for name, value in config.get("data", {}).items())
    for worker in stack.deployments:
        for entry in container(worker).get("env", []):
            if "secretKeyRef" not in entry.get("valueFrom", {}):
                yield name_of(worker), entry["name"], entry.get("value", "")


def _secret_variables() -> Iterator[str]:
    """Settings that are a SecretStr, and the map that may hold a secret."""
    yield f"{PREFIX}KAFKA__EXTRA"
    for group_name, group in Settings.model_fields.items():
        for name, field in group.annotation.model_fields.items():  # type: ignore[union-attr]  # every field is a Group
            if field.annotation == SecretStr | None:
                yield f"{PREFIX}{group_name}__{name}".upper()


def images(stack: Stack) -> Iterator[str]:
    """Every worker and service runs this version's image, by a version or a digest."""
    for worker in stack.deployments:
        image = container(worker)["image"]
        name, _, digest = image.partition("@")
        tag = name.rpartition("/")[2].partition(":")[2]
        if not digest and tag in ("", "latest"):
            yield f"{name_of(worker)}: {image} may be another image tomorrow; use a version or a digest"
        elif not digest and tag != _VERSION:
            yield f"{name_of(worker)}: {image} is not of version {_VERSION}"


def network(stack: Stack) -> Iterator[str]:
    """All traffic is denied except DNS, Kafka, Prometheus, and the index, cache and HTTPS for those that need them."""
    policies = stack.of("NetworkPolicy")
    if not any(_denies_all(policy["spec"]) for policy in policies):
        yield "no NetworkPolicy denies all traffic: it needs an empty podSelector, both policyTypes and no rules"
    for policy in policies:
        for direction, peers in (("egress", "to"), ("ingress", "from")):
            for rule in policy["spec"].get(direction, []):
                if not rule.get(peers) or not rule.get("ports"):
                    yield f"{name_of(policy)}: its {direction} is open to all addresses or all ports"
                if any(peer.get("ipBlock", {}).get("cidr") in ("0.0.0.0/0", "::/0") for peer in rule.get(peers, [])):
                    yield f"{name_of(policy)}: its {direction} is open to the internet"
    for found in stack.deployments:
        yield from _traffic(stack, found)


def _traffic(stack: Stack, worker: Manifest) -> Iterator[str]:
    """Faults in the ports that the policies allow to a Deployment's pods, and in the number of callers they let in."""
    labels = worker["spec"]["template"]["metadata"]["labels"]
    own = [p["spec"] for p in stack.of("NetworkPolicy") if selects(p["spec"]["podSelector"], labels)]
    for direction, wanted in (("egress", _ports(stack, worker)), ("ingress", {"http"})):
        ports = {port["port"] for spec in own for rule in spec.get(direction, []) for port in rule.get("ports", [])}
        if ports != wanted:
            yield f"{name_of(worker)}: {direction} is allowed at {_words(ports)}; it needs {_words(wanted)}"
    callers = len([rule for spec in own for rule in spec.get("ingress", [])])
    if callers != (2 if worker in stack.services else 1):
        yield f"{name_of(worker)}: {callers} rules allow ingress; Prometheus needs one, a service's callers another"


def _denies_all(spec: Any) -> bool:
    both = sorted(spec.get("policyTypes", [])) == ["Egress", "Ingress"]
    return spec["podSelector"] == {} and both and not spec.get("egress") and not spec.get("ingress")


def _ports(stack: Stack, worker: Manifest) -> set[int]:
    """The egress ports that the worker's settings need."""
    found = stack.settings(worker)
    ports = {53, *(int(broker.rpartition(":")[2]) for broker in found.kafka.brokers.split(","))}
    if found.index.url and worker["metadata"]["name"] not in {"enrichment", "tickets", *BACKGROUND}:
        ports.add(urlsplit(found.index.url).port or 6334)
    if worker in stack.services:
        ports |= {443, urlsplit(found.cache.url or "").port or 6379}
    if worker in stack.background:
        ports.add(443)
    return ports


def _words(ports: set[Any]) -> str:
    return ", ".join(sorted(map(str, ports))) or "no port"


ACCESS: Final = {"encrypted": encrypted, "secrets": secrets, "images": images, "network": network}
