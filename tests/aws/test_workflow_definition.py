"""The workflow's definition passes a linter of the Amazon States Language, which finds each of these faults in it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.aws.states import STEPS, rendered
from tests.deploy.terraform.workspace import ACCOUNT, REGION

LINTER: Final = Path(__file__).parents[2] / ".asl" / "node_modules" / ".bin" / "asl-validator"
#: Timeout of a step's function: docs/workflow.md.
FUNCTION_S: Final = 25
Definition = dict[str, Any]


def definition() -> Definition:
    """The definition, rendered with some ARNs."""
    functions = {step: f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{step}" for step in STEPS}
    found: Definition = json.loads(rendered(functions, f"arn:aws:sns:{REGION}:{ACCOUNT}:decisions"))
    return found


def _next(found: Definition) -> None:
    found["States"]["Find"]["Next"] = "Fnd"


def _start(found: Definition) -> None:
    found["StartAt"] = "Start"


def _unreachable(found: Definition) -> None:
    found["States"]["Found"]["Choices"][0]["Next"] = "Decide"


def _catch_of_nobody(found: Definition) -> None:
    found["States"]["Answer"]["Catch"][0]["Next"] = "Nowhere"


def _no_end(found: Definition) -> None:
    del found["States"]["Decide"]["Next"]


def _type(found: Definition) -> None:
    found["States"]["Done"]["Type"] = "Success"


def _retries(found: Definition) -> None:
    found["States"]["Classify"]["Retry"][0]["MaxAttempts"] = -1


def _path_in_jsonata(found: Definition) -> None:
    found["States"]["Find"]["ResultPath"] = "$.found"


FAULTS: Final[list[Callable[[Definition], None]]] = [
    _next,
    _start,
    _unreachable,
    _catch_of_nobody,
    _no_end,
    _type,
    _retries,
    _path_in_jsonata,
]


def test_the_linter_finds_every_fault_and_none_in_the_definition(tmp_path: Path) -> None:
    """The definition is valid, and each mutant is not."""
    if not LINTER.exists():
        pytest.skip("asl-validator is not installed; `make aws-test` installs it if npm can")
    (tmp_path / "definition.json").write_text(json.dumps(definition()))
    for fault in FAULTS:
        broken = definition()
        fault(broken)
        (tmp_path / f"{fault.__name__}.json").write_text(json.dumps(broken))
    command = [str(LINTER)]
    for path in sorted(tmp_path.iterdir()):
        command += ["--json-path", str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (said.stdout + said.stderr).splitlines()
    valid = {Path(line.split('"')[1]).stem for line in lines if line.endswith("is valid")}
    assert valid == {"definition"}, said.stdout + said.stderr
    assert len([line for line in lines if "is invalid" in line and "State machine definition" in line]) == len(FAULTS)


@pytest.mark.parametrize("name", [step.title() for step in STEPS])
def test_a_step_gives_up_after_its_function_and_is_always_caught(name: str) -> None:
    """A task waits longer than its function may run, every other error ends in a state, and a deletion ends well."""
    state = definition()["States"][name]
    assert FUNCTION_S < state["TimeoutSeconds"] <= FUNCTION_S + 5
    assert state["Catch"][0] == {"ErrorEquals": ["NoTicketError"], "Next": "Gone"}
    assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
    assert not [one for one in state["Retry"] if "States.ALL" in one["ErrorEquals"]]


def test_the_workflow_ends_before_a_person_would_wait() -> None:
    """All tries of all steps, with their waits, take less than the workflow's time."""
    found = definition()
    total = 0.0
    for state in found["States"].values():
        for retry in state.get("Retry", []):
            waits = [
                min(retry["IntervalSeconds"] * retry["BackoffRate"] ** n, retry.get("MaxDelaySeconds", 60))
                for n in range(retry["MaxAttempts"])
            ]
            # An error answers at once, except one that is a time-out.
            slow = state["TimeoutSeconds"] if "States.Timeout" in retry["ErrorEquals"] else 1
            total += sum(waits) + slow * (retry["MaxAttempts"] + 1)
    assert total < found["TimeoutSeconds"]
