"""Typical mistakes in the manifests of the HTTP services, each with the sentence that the rules must yield."""

from typing import Any, Final

from tests.deploy.k8s.mutants import Mutant, find, remove
from tests.deploy.k8s.stack import Stack, container, pod


def _config(stack: Stack) -> Any:
    return find(stack, "ConfigMap", "settings")["data"]


def _scaler(stack: Stack) -> Any:
    return find(stack, "HorizontalPodAutoscaler", "rag")["spec"]


SERVICE_MUTANTS: Final[dict[str, Mutant]] = {
    "a service without a Service": Mutant("services", lambda s: remove(s, "Service", "rag"), "no Service of its name"),
    "a Service at another port": Mutant(
        "services", lambda s: find(s, "Service", "tickets")["spec"]["ports"][0].update(targetPort=80), "the port http"
    ),
    "a service that nothing scales": Mutant(
        "services", lambda s: remove(s, "HorizontalPodAutoscaler", "rag"), "no HorizontalPodAutoscaler"
    ),
    "a fixed number of a service's pods": Mutant(
        "services", lambda s: s.services[0]["spec"].update(replicas=2), "reset against the HorizontalPodAutoscaler"
    ),
    "one pod of a service": Mutant(
        "services",
        lambda s: _scaler(s).update(minReplicas=1),
        "minReplicas is 1",
    ),
    "a service scaled by memory": Mutant(
        "services",
        lambda s: _scaler(s)["metrics"][0]["resource"].update(name="memory"),
        "scale by CPU",
    ),
    "a service of another size": Mutant(
        "services", lambda s: container(s.services[1])["resources"]["limits"].update(memory="1Gi"), "memory is 1Gi"
    ),
    "a service that stops at once": Mutant(
        "services", lambda s: container(s.services[0]).pop("lifecycle"), "stops at once"
    ),
    "a service that runs as root": Mutant(
        "services", lambda s: pod(s.services[0])["securityContext"].update(runAsUser=0), "runs as root"
    ),
    "a cache without TLS": Mutant(
        "services", lambda s: _config(s).update(TICKETS_CACHE__URL="redis://cache:6379/0"), "password over TLS"
    ),
    "a cache without a password": Mutant(
        "services", lambda s: container(s.services[0])["env"].pop(0), "password over TLS"
    ),
    "a file of tickets in each pod": Mutant(
        "services", lambda s: _config(s).pop("TICKETS_API__STORE"), "of tickets; sqlite is a file of each"
    ),
    "signing out of one pod": Mutant(
        "services", lambda s: _config(s).pop("TICKETS_SESSIONS__STORE"), "memory is each one's own"
    ),
    "a file of feedback in each pod": Mutant(
        "services", lambda s: _config(s).pop("TICKETS_RAG__FEEDBACK_STORE"), "of feedback; sqlite is a file of each"
    ),
    "no issuer": Mutant("services", lambda s: _config(s).pop("TICKETS_AUTH__ISSUER"), "needs an issuer"),
    "any client's tokens": Mutant("services", lambda s: _config(s).pop("TICKETS_AUTH__CLIENT_IDS"), "needs an issuer"),
    "one address for all callers": Mutant(
        "services", lambda s: _config(s).pop("TICKETS_LIMITS__TRUSTED_PROXIES"), "TRUSTED_PROXIES is 1"
    ),
    "a service with Kafka in plain text": Mutant(
        "services", lambda s: _config(s).update(TICKETS_KAFKA__SECURITY_PROTOCOL="PLAINTEXT"), "protocol is PLAINTEXT"
    ),
    "a service with the index in plain text": Mutant(
        "services", lambda s: _config(s).update(TICKETS_INDEX__URL="http://qdrant:6334"), "needs a server with https"
    ),
    "requests denied": Mutant("services", lambda s: remove(s, "NetworkPolicy", "requests"), "1 rules allow ingress"),
    "the cache denied": Mutant("services", lambda s: remove(s, "NetworkPolicy", "cache"), "it needs 443, 53, 6379"),
    "no budget of a service": Mutant(
        "services", lambda s: remove(s, "PodDisruptionBudget", "tickets"), "0 disruption budgets"
    ),
    "a worker beside the services": Mutant(
        "services", lambda s: s.services[0]["metadata"].update(name="pipeline"), "it runs pipeline, tickets"
    ),
}
