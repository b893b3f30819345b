"""The workflow's state machine on ministack, whose functions run under Python 3.13 and AWS's own runtime client."""

import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from lambdas.build import CACHE, ROOT, find_python, install
from tests.deploy.terraform.emulators import Emulator
from tests.deploy.terraform.workspace import ACCOUNT, DEPLOY, REGION
from tests.rigs.waiting import wait_until

STEPS: Final = ("classify", "find", "answer", "decide")
DEFINITION: Final = DEPLOY / "terraform" / "modules" / "workflow" / "workflow.asl.json"
_ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/tests"
#: ministack runs a custom runtime's own program; its Python runtimes would lose the names of exceptions.
_BOOTSTRAP: Final = """#!/bin/sh
export PYTHONPATH={path} PYTHONDONTWRITEBYTECODE=1
exec {python} -m awslambdaric "$_HANDLER"
"""


def rendered(functions: Mapping[str, str], topic: str) -> str:
    """The definition as Terraform renders it."""
    text = DEFINITION.read_text()
    for name, value in {"partition": "aws", "topic": topic, **functions}.items():
        text = text.replace(f"${{{name}}}", value)
    assert "${" not in text
    return text


def _patient(definition: str) -> str:
    """The definition with ten times the time for a try, because the machine of the tests may be busy."""
    return re.sub(r'("TimeoutSeconds": \d+)', r"\g<1>0", definition)


class Machine(Struct, frozen=True):
    """A state machine, its topic of decisions, and its queue of failures."""

    emulator: Emulator
    arn: str
    topic: str
    failures: str

    def start(self, ticket_id: str, name: str) -> str:
        """Start an execution. Returns its ARN."""
        given = json.dumps({"tenant_id": "acme", "ticket_id": ticket_id})
        client = self.emulator.client("stepfunctions")
        return str(client.start_execution(stateMachineArn=self.arn, name=name, input=given)["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        """The execution, once it has ended."""
        client = self.emulator.client("stepfunctions")
        found: dict[str, Any] = {}

        def done() -> bool:
            found.update(client.describe_execution(executionArn=execution))
            return bool(found["status"] != "RUNNING")

        wait_until(done, lambda: str(self.states(execution)))
        return found

    def history(self, execution: str) -> list[dict[str, Any]]:
        """The events of an execution, in order."""
        client = self.emulator.client("stepfunctions")
        pages = client.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def states(self, execution: str) -> list[str]:
        """The states that the execution entered, with the errors of their tries between them."""
        found = []
        for event in self.history(execution):
            if event["type"].endswith("StateEntered"):
                found.append(event["stateEnteredEventDetails"]["name"])
            elif event["type"] == "TaskFailed":
                found.append(event["taskFailedEventDetails"]["error"])
        return found


def create_functions(
    emulator: Emulator, prefix: str, handlers: Mapping[str, str], environ: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Functions of the repository's sources, by handler. Returns their ARNs."""
    libraries = [install("x86_64"), install("x86_64", ROOT / "requirements" / "lambda-runtime.txt", CACHE), ROOT]
    text = _BOOTSTRAP.format(path=":".join(map(str, libraries)), python=find_python())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        info = zipfile.ZipInfo("bootstrap")
        info.external_attr = 0o755 << 16
        archive.writestr(info, text)
    client = emulator.client("lambda")
    made: dict[str, str] = {}
    for name, handler in handlers.items():
        made[name] = client.create_function(
            FunctionName=prefix + name,
            Runtime="provided.al2023",
            Handler=handler,
            Role=_ROLE,
            Code={"ZipFile": packed.getvalue()},
            Timeout=250,
            Environment={"Variables": {"AWS_ENDPOINT_URL": emulator.url, **environ[name]}},
        )["FunctionArn"]
        _warm_up(client, made[name])
    return made


def _warm_up(client: Any, function: str) -> None:
    """Start the function's process, by an event that it may refuse."""
    wait_until(lambda: bool(client.invoke(FunctionName=function, Payload=b"{}")["StatusCode"]))


def create_machine(emulator: Emulator, name: str, functions: Mapping[str, str]) -> Machine:
    """A state machine over these functions, with its topic and its queue."""
    topic = emulator.client("sns").create_topic(Name=f"{name}-decisions")["TopicArn"]
    steps = {step: functions[step] for step in STEPS}
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"
    url = create_queue(emulator, f"{name}-failures")
    events = emulator.client("events")
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"stateMachineArn": [arn], "status": ["FAILED", "TIMED_OUT", "ABORTED"]},
    }
    events.put_rule(Name=f"{name}-failures", EventPattern=json.dumps(pattern))
    events.put_targets(Rule=f"{name}-failures", Targets=[{"Id": "queue", "Arn": queue_arn(emulator, url)}])
    made = emulator.client("stepfunctions").create_state_machine(
        name=name, definition=_patient(rendered(steps, topic)), roleArn=_ROLE
    )
    assert made["stateMachineArn"] == arn
    return Machine(emulator, arn, topic, url)


def create_queue(emulator: Emulator, name: str) -> str:
    """A queue. Returns its URL."""
    return str(emulator.client("sqs").create_queue(QueueName=name)["QueueUrl"])


def queue_arn(emulator: Emulator, url: str) -> str:
    """The ARN of a queue."""
    found = emulator.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


def tries(folder: Path, ticket_id: str, steps: Sequence[str] = STEPS) -> dict[str, int]:
    """How often each step was tried for a ticket; see `faulty_step`."""
    files = {step: folder / f"{ticket_id}.{step}" for step in steps}
    return {step: file.stat().st_size for step, file in files.items() if file.exists()}
