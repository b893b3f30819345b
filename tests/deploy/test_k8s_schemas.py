"""Every object fits the schema of its kind, in the oldest and the newest Kubernetes that we support."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.deploy.k8s.schemas import complaints
from tests.deploy.k8s.stack import OVERLAYS, Manifest, container, render


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_fits_its_schema(overlay: str) -> None:
    """Every object of an overlay is valid by its strict schema, which refuses unknown fields."""
    assert [complaint for made in render(overlay).objects for complaint in complaints(made)] == []


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("Deployment", lambda made: made["spec"].update(replica=3), "'replica' was unexpected"),
        ("Deployment", lambda made: made["spec"].pop("selector"), "'selector' is a required property"),
        ("Deployment", lambda made: container(made)["ports"][0].update(containerPort="http"), "ports.0.containerPort"),
        ("Deployment", lambda made: made.update(apiVersion="apps/v2"), "Couldn't find schema"),
        ("NetworkPolicy", lambda made: made["spec"].update(egres=[]), "'egres' was unexpected"),
        ("PodDisruptionBudget", lambda made: made["spec"].update(selector="all"), "spec.selector"),
        (
            "HorizontalPodAutoscaler",
            lambda made: made["spec"].pop("maxReplicas"),
            "'maxReplicas' is a required property",
        ),
        ("ScaledObject", lambda made: made["spec"].update(maxReplicas=3), "spec.maxReplicas: unknown field"),
        ("ScaledObject", lambda made: made["spec"].update(maxReplicaCount="many"), "valid integer"),
        ("ScaledObject", lambda made: made["spec"]["triggers"][0].pop("metadata"), "Field required"),
        ("ScaledObject", lambda made: made.update(kind="ScaledThing"), "has no kind ScaledThing"),
        ("TriggerAuthentication", lambda made: made["spec"]["secretTargetRef"][0].pop("key"), "Field required"),
        (
            "PodMonitor",
            lambda made: made["spec"]["podMetricsEndpoints"][0].update(paths="/"),
            "0.paths: unknown",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_found_with_its_path(kind: str, change: Callable[[Manifest], Any], said: str) -> None:
    """The message of a fault contains its path in the object."""
    made = render("services" if kind == "HorizontalPodAutoscaler" else "prod").of(kind)[0]
    change(made)
    found = list(complaints(made))
    assert any(said in complaint for complaint in found), found
