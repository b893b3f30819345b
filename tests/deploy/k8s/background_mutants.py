"""Typical mistakes in the manifests of the archiver and the producer, each with the sentence that a rule must yield."""

from typing import Any, Final

from tests.deploy.k8s.mutants import Mutant, find, remove
from tests.deploy.k8s.stack import Manifest, Stack, container, pod


def _config(stack: Stack) -> Any:
    return find(stack, "ConfigMap", "settings")["data"]


def _archive(stack: Stack) -> Manifest:
    return find(stack, "Deployment", "archive")


def _producer(stack: Stack) -> Manifest:
    return find(stack, "Deployment", "producer")


def _surge(service: Manifest) -> Any:
    return service["spec"]["strategy"]["rollingUpdate"]


BACKGROUND_MUTANTS: Final[dict[str, Mutant]] = {
    "two archivers": Mutant("background", lambda s: _archive(s)["spec"].update(replicas=2), "replicas is not 1"),
    "a rollout without an archiver": Mutant(
        "background", lambda s: _surge(_archive(s)).update(maxSurge=0, maxUnavailable=1), "let the new one begin first"
    ),
    "another command of the archive": Mutant(
        "background",
        lambda s: container(_archive(s)).update(args=["archive", "verify"]),
        "module is ['archive', 'verify']",
    ),
    "an archive in the pod": Mutant(
        "background", lambda s: _config(s).update(TICKETS_ARCHIVE__PLACE="/data/archive"), "ends with its pod"
    ),
    "a file of checkpoints in each pod": Mutant(
        "background", lambda s: _config(s).pop("TICKETS_PRODUCER__STORE"), "of checkpoints; sqlite is a file of each"
    ),
    "a folder as a source": Mutant(
        "background", lambda s: _config(s).update(TICKETS_PRODUCER__SOURCES="/data/in"), "a source is a folder"
    ),
    "a producer that nothing scales": Mutant(
        "background", lambda s: remove(s, "HorizontalPodAutoscaler", "producer"), "no HorizontalPodAutoscaler"
    ),
    "a producer that is killed early": Mutant(
        "background", lambda s: pod(_producer(s)).update(terminationGracePeriodSeconds=10), "Seconds is 10"
    ),
    "a producer with Kafka in plain text": Mutant(
        "background", lambda s: _config(s).update(TICKETS_KAFKA__SECURITY_PROTOCOL="PLAINTEXT"), "protocol is PLAINTEXT"
    ),
    "AWS denied": Mutant("background", lambda s: remove(s, "NetworkPolicy", "aws"), "it needs 443, 53, 9096"),
    "a worker beside the archiver": Mutant(
        "background", lambda s: _producer(s)["metadata"].update(name="pipeline"), "it runs archive, pipeline"
    ),
}
