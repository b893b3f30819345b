"""The order of an apply: node after node of the index, then what needs it, and then its scaling."""

from typing import Any

from tests.deploy.terraform.conftest import Planned


def test_an_apply_goes_from_node_to_node(plans: dict[str, Planned]) -> None:
    """Each node's service waits until it is steady, and a deployment that fails is rolled back."""
    services = [each for each in plans["prod"].resources("aws_ecs_service") if "module.index" in each["address"]]
    assert len(services) == 3
    for service in services:
        assert service["values"]["wait_for_steady_state"] is True
        assert service["values"]["deployment_circuit_breaker"] == [{"enable": True, "rollback": True}]
    nodes = _modules(plans["prod"])["index"]["module"]["module_calls"]
    assert [nodes[slot].get("depends_on") for slot in ("second", "third")] == [["module.first"], ["module.second"]]


def test_workers_and_services_start_after_the_index(plans: dict[str, Planned]) -> None:
    """A worker ends without the index, and ECS gives up a new service after three tasks that end.

    Secrets Manager tries a schedule when it gets it, by asking the function whether the nodes accept their key.
    """
    calls = _modules(plans["prod"])
    for name in ("worker", "service", "rotation"):
        assert "module.index" in calls[name]["depends_on"]


def test_a_service_exists_before_it_is_scaled(plans: dict[str, Planned]) -> None:
    """AWS refuses a scalable target for a service that doesn't exist; the target gets its name from the service."""
    calls = _modules(plans["prod"])
    for scaling, scaled in (("scaling", "worker"), ("cpu_scaling", "background"), ("request_scaling", "service")):
        assert any(f"module.{scaled}" in one for one in calls[scaling]["expressions"]["service_name"]["references"])
        assert calls[scaled]["module"]["outputs"]["name"]["depends_on"] == ["aws_ecs_service.this"]


def test_a_service_can_move_to_other_machines(plans: dict[str, Planned]) -> None:
    """A change of the capacity provider redeploys a worker's service without replacing it."""
    services = [each for each in plans["prod"].resources("aws_ecs_service") if "module.worker" in each["address"]]
    assert services
    assert all(each["values"]["force_new_deployment"] for each in services)


def _modules(planned: Planned) -> dict[str, Any]:
    """The module calls of the stack, as they are written."""
    calls = planned.content["configuration"]["root_module"]["module_calls"]
    return dict(calls["ticketstream"]["module"]["module_calls"])
