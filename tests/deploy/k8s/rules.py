"""The rules for every overlay; each yields a sentence for each violation."""

from collections.abc import Callable, Iterator
from typing import Final

from core.errors import ConfigError
from tests.deploy.k8s.access import ACCESS
from tests.deploy.k8s.numbers import NUMBERS, SIZES
from tests.deploy.k8s.pods import PODS
from tests.deploy.k8s.stack import BACKGROUND, SERVICES, Manifest, Stack, container, name_of, pod, selects

Rule = Callable[[Stack], Iterator[str]]


def roles(stack: Stack) -> Iterator[str]:
    """One overlay runs the whole stream, its two roles, or services of a kind. Both shapes would write one index."""
    names = {found["metadata"]["name"] for found in stack.deployments}
    if names not in ({"pipeline"}, {"enrichment", "embedding"}, SERVICES, BACKGROUND):
        runs = ", ".join(sorted(names)) or "nothing"
        kinds = " or ".join(" and ".join(sorted(names)) for names in (SERVICES, BACKGROUND))
        yield f"it runs {runs}: either pipeline, or enrichment and embedding, or {kinds}"


def settings(stack: Stack) -> Iterator[str]:
    """The worker accepts its settings."""
    for worker in stack.deployments:
        try:
            stack.settings(worker)
        except ConfigError as error:
            yield f"{name_of(worker)}: {error}"


def references(stack: Stack) -> Iterator[str]:
    """Every reference names an existing object, and every selector matches its pods."""
    for worker in stack.deployments:
        labels, name = worker["spec"]["template"]["metadata"]["labels"], name_of(worker)
        if not selects(worker["spec"]["selector"], labels):
            yield f"{name}: its selector doesn't match its own pods"
        if stack.find("ServiceAccount", pod(worker).get("serviceAccountName", "")) is None:
            yield f"{name}: its service account is missing"
        for source in container(worker).get("envFrom", []):
            if stack.find("ConfigMap", source["configMapRef"]["name"]) is None:
                yield f"{name}: its settings, {source['configMapRef']['name']}, are missing"
        yield from _volumes(stack, worker)
        scraped = [m for m in stack.of("PodMonitor") if selects(m["spec"]["selector"], labels)]
        if [end.get("path") for m in scraped for end in m["spec"]["podMetricsEndpoints"]] != [
            SIZES["health"]["metrics"]
        ]:
            yield f"{name}: Prometheus should scrape it once, at {SIZES['health']['metrics']}"
    for service in stack.services:
        labels, name = service["spec"]["template"]["metadata"]["labels"], service["metadata"]["name"]
        found = stack.find("Service", name)
        if found is None or not selects({"matchLabels": found["spec"]["selector"]}, labels):
            yield f"{name_of(service)}: no Service of its name selects its pods"
        elif [port["targetPort"] for port in found["spec"]["ports"]] != ["http"]:
            yield f"{name_of(found)}: it should forward to the port http"


def _volumes(stack: Stack, worker: Manifest) -> Iterator[str]:
    volumes = {volume["name"]: volume for volume in pod(worker).get("volumes", [])}
    for mount in container(worker).get("volumeMounts", []):
        if mount["name"] not in volumes:
            yield f"{name_of(worker)}: it mounts {mount['name']}, which isn't a volume of its pod"
    for volume in volumes.values():
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        if claim and stack.find("PersistentVolumeClaim", claim) is None:
            yield f"{name_of(worker)}: the claim {claim} is missing"


#: Rules that the others rely on; if one fails, the others don't run.
FIRST: Final[dict[str, Rule]] = {"roles": roles, "settings": settings}
RULES: Final[dict[str, Rule]] = {
    **FIRST,
    **PODS,
    **NUMBERS,
    **ACCESS,
    "references": references,
}


def findings(stack: Stack) -> list[str]:
    """The findings of every rule, prefixed with the rule's name."""
    first = [f"{name}: {found}" for name, rule in FIRST.items() for found in rule(stack)]
    rest = {name: rule for name, rule in RULES.items() if name not in FIRST}
    return first or [f"{name}: {found}" for name, rule in rest.items() for found in rule(stack)]
