"""The plan of prod refuses to lose the log or a key, and the page says how to destroy it on purpose."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import Struct

from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.workspace import DEPLOY, SMALL, Workspace

_KAFKA: Final = "module.ticketstream.module.kafka"
#: The guards of the keys, in both regions.
_KEYS: Final = (
    "module.ticketstream.module.keys.terraform_data.keeps_keys",
    "module.replica[0].module.keys.terraform_data.keeps_keys",
)
_BUILT_IN: Final = "terraform.io/builtin/terraform"


class Loss(Struct, frozen=True):
    """A plan that would lose data: an option, variables, and the guards that refuse it."""

    option: str
    given: dict[str, Any]
    guards: list[str]


@pytest.mark.parametrize(
    "loss",
    [
        pytest.param(Loss("-destroy", {}, ["kafka.terraform_data.keeps_log", *_KEYS]), id="destroy"),
        # Whole plans take longer.
        pytest.param(
            Loss(f"-replace={_KAFKA}.aws_msk_cluster.this[0]", {}, ["keeps_log"]),
            id="replace",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            Loss("-refresh=false", {"replica_region": None}, [_KEYS[1]]),
            id="without copies",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_prod_refuses_to_lose_the_log_or_a_key(
    workspace: Workspace, plans: dict[str, Planned], tmp_path: Path, loss: Loss
) -> None:
    """A plan that destroys or replaces the MSK cluster of prod, or a key, is an error that names its guard."""
    branch = workspace.branch(tmp_path / "deploy")
    root = branch.root("envs/prod")
    (root.folder / "terraform.tfstate").write_text(json.dumps(_state(plans["prod"])))
    result = root.plan(SMALL["prod"] | loss.given, "-refresh=false", loss.option)
    assert result.code == 1
    assert "prevent_destroy" in result.errors()
    assert [guard for guard in loss.guards if guard not in result.errors()] == []


def test_every_key_of_prod_has_a_guard(plans: dict[str, Planned]) -> None:
    """Each key, those of the copies included, has a guard of its own; dev's keys have none."""
    keys = {each["address"].replace("aws_kms_key.this", "") for each in plans["prod"].resources("aws_kms_key")}
    guards = {each["address"] for each in plans["prod"].resources("terraform_data") if each["name"] == "keeps_keys"}
    assert len(keys) > 6
    assert {address.replace("terraform_data.keeps_keys", "") for address in guards} == keys


def test_the_page_says_how_to_destroy_prod() -> None:
    """It names every guard, and what else protects: `keep_data` and `force_destroy`."""
    page = (DEPLOY.parent / "docs" / "deploy-aws.md").read_text()
    (steps,) = re.findall(r"^## Take it down\n(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    guards = {path.parent.name for path in (DEPLOY / "terraform" / "modules").glob("*/guard.tf")}
    assert {name for name in guards if f"`modules/{name}`" in steps} == guards
    for file in ("main.tf", "edge.tf"):
        assert "force_destroy = false" in re.sub(" +", " ", (DEPLOY / "terraform" / "envs" / "prod" / file).read_text())
    assert "`keep_data = false`" in steps
    assert "`force_destroy = true`" in steps


def test_dev_may_be_destroyed(plans: dict[str, Planned]) -> None:
    """Dev has no guard."""
    assert not plans["dev"].resources("terraform_data")


def _state(planned: Planned) -> dict[str, Any]:
    """A state in which the cluster, its guard and those of two keys exist."""
    (cluster,) = planned.resources("aws_msk_cluster")
    arn = "arn:aws:kafka:us-east-1:123456789012:cluster/ticketstream-prod/1"
    return {
        "version": 4,
        "terraform_version": planned.content["terraform_version"],
        "serial": 1,
        "lineage": "tests",
        "outputs": {},
        "resources": [
            _resource(
                "aws_msk_cluster",
                "this",
                "registry.terraform.io/hashicorp/aws",
                cluster["values"] | {"id": arn, "arn": arn},
            ),
            _resource("terraform_data", "keeps_log", _BUILT_IN, {"id": "1"}, index_key=0),
            *(
                _resource(
                    "terraform_data",
                    "keeps_keys",
                    _BUILT_IN,
                    {"id": "2"},
                    module=guard.partition(".terraform_data")[0],
                    index_key="events",
                )
                for guard in _KEYS
            ),
        ],
    }


def _resource(
    kind: str, name: str, provider: str, attributes: dict[str, Any], *, module: str = _KAFKA, **more: Any
) -> dict[str, Any]:
    return {
        "module": module,
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider": f'provider["{provider}"]',
        "instances": [{"schema_version": 0, "attributes": attributes, **more}],
    }
