"""deploy/sizes.yaml against itself, the topics and the code: what every deployment builds on."""

import importlib
from copy import deepcopy
from typing import Any

import pytest
import yaml

from connectors.kafka.topics import load_topics
from core.settings import KafkaSettings, WriterSettings
from stream.compose import EMBEDDING, EMBEDDING_PORT, ENRICHMENT, PORT
from tests.docs.tables import SIZES

SHIPPED: dict[str, Any] = yaml.safe_load(SIZES.read_text())
_PARTITIONS = {spec.name: spec.partitions for spec in load_topics(None)}


def faults(sizes: dict[str, Any]) -> list[str]:
    """What doesn't fit together, in sentences."""
    found = []
    for name, stage in sizes["stages"].items():
        if stage["target_lag"] != stage["tickets_per_s"] * sizes["catch_up_s"]:
            found.append(f"{name}: target_lag is not tickets_per_s times catch_up_s")
        if stage["max_tasks"] > _PARTITIONS[stage["reads"]]:
            found.append(f"{name}: max_tasks is more than the {_PARTITIONS[stage['reads']]} partitions it reads")
        if not 1 <= stage["min_tasks"] <= stage["max_tasks"]:
            found.append(f"{name}: min_tasks is not from 1 to max_tasks")
        found += [
            f"{name}: {topic} has fewer partitions than what it is made from"
            for topic in stage["writes"]
            if _PARTITIONS[topic] < _PARTITIONS[stage["reads"]]
        ]
    drain_s = WriterSettings().drain_timeout_s
    if sizes["stop_timeout_s"] < 2 * drain_s:
        found.append(f"stop_timeout_s leaves no room for a drain of {drain_s:.0f} s")
    return found


def test_the_shipped_sizes_fit_together() -> None:
    """Formula, partitions and drain."""
    assert faults(SHIPPED) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda sizes: sizes["stages"]["embedding"].update(max_tasks=13), "embedding: max_tasks is more than the 12"),
        (lambda sizes: sizes["stages"]["pipeline"].update(target_lag=1), "pipeline: target_lag is not"),
        (lambda sizes: sizes["stages"]["enrichment"].update(min_tasks=0), "enrichment: min_tasks is not"),
        (lambda sizes: sizes["stages"]["enrichment"].update(writes=["tickets.dlq"]), "tickets.dlq has fewer"),
        (lambda sizes: sizes.update(stop_timeout_s=30), "stop_timeout_s leaves no room"),
    ],
)
def test_a_wrong_number_is_told(change: Any, said: str) -> None:
    """The check above can fail."""
    wrong = deepcopy(SHIPPED)
    change(wrong)
    (sentence,) = faults(wrong)
    assert said in sentence


def test_stages_are_what_the_code_makes_them() -> None:
    """Modules, groups, ports and topics."""
    stages, kafka = SHIPPED["stages"], KafkaSettings()
    names = {"pipeline": None, ENRICHMENT: ENRICHMENT, EMBEDDING: EMBEDDING}
    assert {name: stage["group"] for name, stage in stages.items()} == {
        name: kafka.group_of(stage) for name, stage in names.items()
    }
    assert {name: stage["port"] for name, stage in stages.items()} == {
        "pipeline": PORT,
        ENRICHMENT: PORT,
        EMBEDDING: EMBEDDING_PORT,
    }
    for stage in stages.values():
        assert callable(importlib.import_module(stage["module"]).flow)
    assert stages[ENRICHMENT]["writes"] == [stages[EMBEDDING]["reads"]]
