"""Each step of the workflow fails by each named error: it is retried as often as the definition says, then caught."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec
import pytest
from msgspec import Struct

from tests.aws.states import STEPS, Machine, create_functions, create_machine, tries
from tests.deploy.terraform.conftest import require
from tests.deploy.terraform.emulators import MINISTACK, start_ministack
from tests.rigs.waiting import wait_until

#: Tries of an error that never ends, by its name.
TRIES: Final = {
    "NotIndexedError": 9,
    "TransientError": 6,
    "UnavailableError": 6,
    "Lambda.ServiceException": 6,
    "Lambda.AWSLambdaException": 6,
    "Lambda.SdkClientException": 6,
    "Lambda.TooManyRequestsException": 6,
    "Sandbox.Timedout": 3,
    "Runtime.ExitError": 3,
    "Lambda.Unknown": 3,
    "States.Timeout": 3,
    "ConfigError": 1,
    "FatalError": 1,
    "InternalError": 1,
    "AnyOther": 1,
}
_ALWAYS: Final = 99
_BEFORE: Final = {
    "classify": ["Begin"],
    "find": ["Begin", "Classify", "Classified"],
    "answer": ["Begin", "Classify", "Classified", "Find", "Found"],
    "decide": ["Begin", "Classify", "Classified", "Find", "Found", "Answer"],
}
#: A failure of a step before the decision leaves the ticket to a person.
_ESCALATED: Final = ["Decide", "Decided", "Notify", "Notified", "Failed"]
_ALL: Final = [*_BEFORE["decide"], "Decide", "Decided", "Notify", "Notified", "Done"]


pytestmark = pytest.mark.thorough


class Rig(Struct, frozen=True):
    """The machine over faulty steps, and the folder of their tries."""

    machine: Machine
    folder: Path

    def run(self, ticket_id: str) -> tuple[str, list[str]]:
        """The status of an execution, and its states and errors."""
        name = "".join(letter if letter.isalnum() else "-" for letter in ticket_id)
        execution = self.machine.start(ticket_id, name)
        return self.machine.ended(execution)["status"], self.machine.states(execution)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The state machine on an emulator that doesn't wait between tries."""
    require(MINISTACK)
    folder = tmp_path_factory.mktemp("tries")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SFN_WAIT_SCALE", "0")
        patch.setenv("IOT_MTLS_ENABLED", "0")
        with start_ministack(tmp_path_factory.mktemp("emulator")) as emulator:
            handlers = dict.fromkeys(STEPS, "tests.aws.faulty_step.handler")
            environ = {step: {"STEP": step, "TRIES": str(folder)} for step in STEPS}
            yield Rig(
                create_machine(emulator, "faults", create_functions(emulator, "faulty-", handlers, environ)), folder
            )


def _tried(step: str, error: str) -> int:
    return 1 if (step, error) == ("decide", "NotIndexedError") else TRIES[error]


def _expected(step: str, error: str) -> list[str]:
    failures = [error] * _tried(step, error)
    if step == "decide":
        return [*_BEFORE[step], "Decide", *failures, "Failed"]
    return [*_BEFORE[step], step.title(), *failures, *_ESCALATED]


def test_the_life_of_a_ticket_without_faults(rig: Rig) -> None:
    """Every state is entered once, in order, and each step is tried once."""
    assert rig.run("none:x:0") == ("SUCCEEDED", _ALL)
    assert tries(rig.folder, "none:x:0") == dict.fromkeys(STEPS, 1)


@pytest.mark.parametrize("step", STEPS)
def test_a_deleted_ticket_ends_the_workflow_well(rig: Rig, step: str) -> None:
    """Nothing is retried, nobody is told, and no failure is left."""
    status, states = rig.run(f"{step}:NoTicketError:{_ALWAYS}")
    assert (status, states) == ("SUCCEEDED", [*_BEFORE[step], step.title(), "NoTicketError", "Gone"])


def test_each_error_is_retried_as_often_as_it_says_and_caught(rig: Rig) -> None:
    """The order of the history's events is the definition's, for each step and each error that never ends."""
    cases = [(step, error) for step in STEPS for error in TRIES]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda case: rig.run(f"{case[0]}:{case[1]}:{_ALWAYS}"), cases))
    wrong = {
        case: states
        for case, (status, states) in zip(cases, found, strict=True)
        if (status, states) != ("FAILED", _expected(*case))
    }
    assert wrong == {}
    for step, error in cases:
        ticket = f"{step}:{error}:{_ALWAYS}"
        assert tries(rig.folder, ticket)[step] == _tried(step, error), ticket


def test_an_error_that_ends_is_survived(rig: Rig) -> None:
    """The last try that the definition allows succeeds, and the ticket gets its draft."""
    cases = [(step, error) for step in STEPS for error in ("UnavailableError", "Sandbox.Timedout")]
    cases += [(step, "NotIndexedError") for step in STEPS[:3]]
    for step, error in cases:
        times = TRIES[error] - 1
        status, states = rig.run(f"{step}:{error}:{times}")
        at = [*_BEFORE[step], step.title()]
        rest = _ALL[len(at) :]
        assert (status, states) == ("SUCCEEDED", [*at, *[error] * times, *rest]), (step, error)


def test_a_failed_execution_is_in_the_queue_with_its_error(rig: Rig) -> None:
    """EventBridge writes its input, its error and the step that failed; successes leave nothing."""
    rig.run("none:y:0")
    rig.run("find:FatalError:98")
    sqs = rig.machine.emulator.client("sqs")
    found: dict[str, dict[str, str]] = {}

    def arrived() -> bool:
        given = sqs.receive_message(QueueUrl=rig.machine.failures, MaxNumberOfMessages=10, VisibilityTimeout=60)
        for message in given.get("Messages", []):
            detail = msgspec.json.decode(message["Body"])["detail"]
            found[msgspec.json.decode(detail["input"])["ticket_id"]] = detail
        return "find:FatalError:98" in found

    wait_until(arrived, lambda: str(found))
    detail = found["find:FatalError:98"]
    said = (detail["status"], detail["error"], detail["cause"])
    assert said == ("FAILED", "FatalError", "The step Find failed.")
    assert not [ticket for ticket in found if ticket.startswith("none")]
