"""deploy/sizes.yaml is consistent, and agrees with the topics and the code."""

import importlib
from copy import deepcopy
from typing import Any

import pytest
import yaml

from connectors.kafka.topics import load_topics
from core.service_settings import ApiSettings, RagSettings
from core.settings import KafkaSettings, WriterSettings
from core.topic_settings import TopicSettings
from stream.roles import ARCHIVE, EMBEDDING, ENRICHMENT, PIPELINE
from tests.docs.tables import SIZES

SHIPPED: dict[str, Any] = yaml.safe_load(SIZES.read_text())
_PARTITIONS = {spec.name: spec.partitions for spec in load_topics(None)}


#: The GiB of memory from and to which Fargate has tasks of these vCPU
#: (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html).
_FARGATE = {0.5: (1, 4), 1: (2, 8), 2: (4, 16), 4: (8, 30)}


def faults(sizes: dict[str, Any]) -> list[str]:
    """The contradictions in `sizes`, in sentences."""
    found = []
    for name, role in sizes["roles"].items():
        if role["target_lag"] != role["tickets_per_s"] * sizes["catch_up_s"]:
            found.append(f"{name}: target_lag is not tickets_per_s times catch_up_s")
        if role["max_tasks"] > _PARTITIONS[role["reads"]]:
            found.append(f"{name}: max_tasks is more than the {_PARTITIONS[role['reads']]} partitions it reads")
        if not 1 <= role["min_tasks"] <= role["max_tasks"]:
            found.append(f"{name}: min_tasks is not from 1 to max_tasks")
        found += [
            f"{name}: {topic} has fewer partitions than its input"
            for topic in role["writes"]
            if _PARTITIONS[topic] < _PARTITIONS[role["reads"]]
        ]
    for name, size in {"task": sizes["task"], **sizes["services"], **sizes["background"]}.items():
        least, most = _FARGATE[size["vcpu"]]
        if size["memory_mib"] % 1024 or not least <= size["memory_mib"] / 1024 <= most:
            found.append(f"{name}: Fargate has no task of {size['vcpu']} vCPU and {size['memory_mib']} MiB")
    found += [
        f"{name}: min_tasks is not from 2 to max_tasks"
        for name, service in sizes["services"].items()
        if not 2 <= service["min_tasks"] <= service["max_tasks"]
    ]
    found += [
        f"{name}: stop_timeout_s is not from 30 to 120, Fargate's limit"
        for name, service in sizes["background"].items()
        if not 30 <= service["stop_timeout_s"] <= 120
    ]
    drain_s = WriterSettings().drain_timeout_s
    if sizes["stop_timeout_s"] < 2 * drain_s:
        found.append(f"stop_timeout_s leaves no room for a drain of {drain_s:.0f} s")
    return found


def test_the_shipped_sizes_fit_together() -> None:
    """The shipped numbers keep the scaling formula, the partitions and the drain timeout."""
    assert faults(SHIPPED) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda sizes: sizes["roles"]["embedding"].update(max_tasks=13), "embedding: max_tasks is more than the 12"),
        (lambda sizes: sizes["roles"]["pipeline"].update(target_lag=1), "pipeline: target_lag is not"),
        (lambda sizes: sizes["roles"]["enrichment"].update(min_tasks=0), "enrichment: min_tasks is not"),
        (lambda sizes: sizes["roles"]["enrichment"].update(writes=["tickets.dlq"]), "tickets.dlq has fewer"),
        (lambda sizes: sizes["services"]["rag"].update(memory_mib=2048), "rag: Fargate has no task of 2 vCPU and 2048"),
        (lambda sizes: sizes["services"]["tickets"].update(min_tasks=1), "tickets: min_tasks is not from 2"),
        (
            lambda sizes: sizes["background"]["producer"].update(stop_timeout_s=15),
            "producer: stop_timeout_s is not from",
        ),
        (
            lambda sizes: sizes["background"]["archive"].update(memory_mib=512),
            "archive: Fargate has no task of 0.5 vCPU",
        ),
        (lambda sizes: sizes.update(stop_timeout_s=30), "stop_timeout_s leaves no room"),
    ],
)
def test_a_wrong_number_is_found(change: Any, said: str) -> None:
    """A wrong number yields one sentence that names it."""
    wrong = deepcopy(SHIPPED)
    change(wrong)
    (sentence,) = faults(wrong)
    assert said in sentence


def test_the_services_are_those_of_the_code() -> None:
    """Each service has the module and the port that the code gives it."""
    ports = {"rag": RagSettings().port, "tickets": ApiSettings().port}
    assert {name: service["port"] for name, service in SHIPPED["services"].items()} == ports
    for service in SHIPPED["services"].values():
        assert importlib.import_module(f"{service['module']}.__main__").SERVICE


def test_the_services_without_requests_are_those_of_the_code() -> None:
    """The archiver has the code's group, topic and port, and the producer its module and port."""
    archive, producer = SHIPPED["background"]["archive"], SHIPPED["background"]["producer"]
    assert (archive["group"], archive["port"]) == (ARCHIVE.group(KafkaSettings()), ARCHIVE.port)
    assert archive["reads"] == ARCHIVE.reads(TopicSettings())
    assert callable(importlib.import_module(f"{producer['module']}.__main__").main)
    assert producer["port"] == importlib.import_module(f"{producer['module']}.compose").PORT


def test_the_roles_are_those_of_the_code() -> None:
    """Each role has the module, consumer group, port and topics that the code gives it."""
    kafka, topics = KafkaSettings(), TopicSettings()
    known = {role.name: role for role in (PIPELINE, ENRICHMENT, EMBEDDING)}
    assert SHIPPED["roles"].keys() == known.keys()
    for name, role in known.items():
        given = SHIPPED["roles"][name]
        assert callable(importlib.import_module(given["module"]).flow)
        assert (given["group"], given["port"]) == (role.group(kafka), role.port)
        assert given["reads"] == role.reads(topics)
        assert given["writes"] == ([] if role.writes is None else [role.writes(topics)])
