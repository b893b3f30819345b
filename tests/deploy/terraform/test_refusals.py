"""A wrong setting in a shipped file or an environment fails the plan, with a message that says what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import Struct

from tests.deploy.terraform.workspace import SMALL, Workspace

Break = Callable[[Workspace], None]

#: `terraform test` of the module refuses the same values; this is one more plan.
_OF_A_MODULE: Final = pytest.mark.thorough


def _file(place: str, before: str, after: str) -> Break:
    return lambda branch: branch.change(place, before, after)


def _nothing(_branch: Workspace) -> None:
    """Leave the files as they are, because a variable is wrong."""


class Wrong(Struct, frozen=True):
    """A wrong setting, its place, and a part of the message."""

    environment: str
    given: dict[str, Any]
    broken: Break
    sentence: str


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(
            Wrong(
                "dev",
                {},
                _file("sizes.yaml", "max_tasks: 12", "max_tasks: 13"),
                "max_tasks (13) is above the 12 partitions of tickets.raw: a task without a partition does nothing",
            ),
            id="more tasks than partitions",
            marks=_OF_A_MODULE,
        ),
        pytest.param(
            Wrong(
                "dev",
                {},
                _file("k8s-ecs/msk/topics.yaml", "replication: 3", "replication: 2"),
                "every topic needs replication 3 or more",
            ),
            id="replication below 3",
            marks=_OF_A_MODULE,
        ),
        pytest.param(
            Wrong(
                "prod",
                {"kafka_authentication": "plaintext"},
                _nothing,
                "kafka.authentication is plaintext, and prod refuses it",
            ),
            id="plaintext in prod",
        ),
        pytest.param(
            Wrong(
                "prod",
                {"settings": {"TICKETS_KAFKA__SASL_PASSWORD": "hunter2"}},
                _nothing,
                "put it into Secrets Manager and set its ARN in secrets",
            ),
            id="a secret in plain text",
        ),
        pytest.param(
            Wrong(
                "dev",
                {},
                _file(
                    "k8s-ecs/msk/server.properties",
                    "allow.everyone.if.no.acl.found=false",
                    "allow.everyone.if.no.acl.found=true",
                ),
                "MSK's defaults lose data or allow unauthorised access",
            ),
            id="access without ACLs",
            marks=_OF_A_MODULE,
        ),
    ],
)
def test_a_wrong_setting_is_refused(workspace: Workspace, tmp_path: Path, wrong: Wrong) -> None:
    """The plan fails with a message that says what is wrong and what to do, and repeats no secret."""
    branch = workspace.branch(tmp_path / "deploy")
    wrong.broken(branch)
    result = branch.root(f"envs/{wrong.environment}").plan(SMALL[wrong.environment] | wrong.given)
    assert result.code == 1
    assert wrong.sentence in " ".join(result.errors().split())
    assert "hunter2" not in result.errors()
