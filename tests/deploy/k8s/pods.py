"""Rules on pod security: the restricted profile of the Pod Security Standards, and stricter ones.

The profile is defined at https://kubernetes.io/docs/concepts/security/pod-security-standards/.
"""

from collections.abc import Iterator
from typing import Any, Final

from tests.deploy.k8s.stack import Stack, container, name_of, pod

_VOLUMES: Final = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected",
                   "secret"}  # fmt: skip
_LABEL: Final = "pod-security.kubernetes.io/enforce"


def restricted(stack: Stack) -> Iterator[str]:
    """The pods keep the restricted profile, and the namespace enforces it."""
    for namespace in stack.of("Namespace"):
        if namespace["metadata"].get("labels", {}).get(_LABEL) != "restricted":
            yield f"{name_of(namespace)}: {_LABEL} is not restricted"
    for worker in stack.deployments:
        for fault in _breaches(pod(worker)):
            yield f"{name_of(worker)}: {fault}"


def _breaches(spec: Any) -> Iterator[str]:
    for shared in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(shared):
            yield f"{shared} shares the node's"
    for volume in spec.get("volumes", []):
        for kind in sorted(set(volume) - {"name"} - _VOLUMES):
            yield f"volume {volume['name']} is a {kind}, which the restricted profile forbids"
    around = spec.get("securityContext", {})
    if around.get("sysctls"):
        yield "it sets sysctls"
    for one in (*spec.get("initContainers", []), *spec["containers"], *spec.get("ephemeralContainers", [])):
        own = {**around, **one.get("securityContext", {})}
        yield from (f"container {one['name']}: {fault}" for fault in _container(own))
        if any("hostPort" in port for port in one.get("ports", [])):
            yield f"container {one['name']}: it takes a port of the node"


def _container(own: Any) -> Iterator[str]:
    capabilities = own.get("capabilities", {})
    faults = {
        "runAsNonRoot is not true": own.get("runAsNonRoot") is not True,
        "it runs as root": own.get("runAsUser") == 0,
        "it is privileged": bool(own.get("privileged")),
        "allowPrivilegeEscalation is not false": own.get("allowPrivilegeEscalation") is not False,
        "it keeps capabilities; drop ALL": "ALL" not in capabilities.get("drop", []),
        "it adds capabilities": bool(set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}),
        "its seccompProfile is not RuntimeDefault": own.get("seccompProfile", {}).get("type") not in _SECCOMP,
        "its procMount is not the default": own.get("procMount", "Default") != "Default",
        "its appArmorProfile is Unconfined": own.get("appArmorProfile", {}).get("type") == "Unconfined",
        "it sets a user or a role of SELinux": bool(set(own.get("seLinuxOptions", {})) & {"user", "role"}),
    }
    yield from (fault for fault, found in faults.items() if found)


_SECCOMP: Final = {"RuntimeDefault", "Localhost"}


def hardened(stack: Stack) -> Iterator[str]:
    """A pod has a read-only root, no API token, no Services' variables, equal requests and limits, and is spread."""
    for worker in stack.deployments:
        spec, own, name = pod(worker), container(worker), name_of(worker)
        if own.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
            yield f"{name}: its root file system is writable"
        for volume in spec.get("volumes", []):
            if "emptyDir" in volume and "sizeLimit" not in (volume["emptyDir"] or {}):
                yield f"{name}: volume {volume['name']} has no sizeLimit and may fill the node"
        account = stack.find("ServiceAccount", spec.get("serviceAccountName", "")) or {}
        if spec.get("automountServiceAccountToken") is not False or account.get("automountServiceAccountToken"):
            yield f"{name}: it gets a token for the API server, which it never calls"
        if spec.get("enableServiceLinks") is not False:
            yield f"{name}: Services may add variables that it refuses; set enableServiceLinks: false"
        resources = own.get("resources", {})
        if not resources or resources.get("requests") != resources.get("limits"):
            yield f"{name}: requests and limits differ, so a full node evicts it before others"
        if {rule.get("topologyKey") for rule in spec.get("topologySpreadConstraints", [])} != _SPREAD:
            yield f"{name}: its tasks are not spread over zones and nodes"


_SPREAD: Final = {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}

PODS: Final = {"restricted": restricted, "hardened": hardened}
