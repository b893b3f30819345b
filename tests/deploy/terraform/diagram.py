"""The words of a deployment diagram (docs/uml): boxes, frames and arrows, and their source for PlantUML."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from tests.deploy.terraform.tool import resources

UML: Final = Path(__file__).parents[3] / "docs" / "uml"
_ICONS: Final = {
    "Fargate": "Containers",
    "ElasticContainerService": "Containers",
    "ElasticContainerRegistry": "Containers",
    "Lambda": "Compute",
    "ManagedStreamingforApacheKafka": "Analytics",
    "ElasticLoadBalancing": "NetworkingContentDelivery",
    "CloudFront": "NetworkingContentDelivery",
    "Route53": "NetworkingContentDelivery",
    "WAF": "SecurityIdentityCompliance",
    "SimpleStorageService": "Storage",
    "SecretsManager": "SecurityIdentityCompliance",
    "KeyManagementService": "SecurityIdentityCompliance",
    "CloudWatch": "ManagementGovernance",
    "EventBridge": "ApplicationIntegration",
    "SimpleNotificationService": "ApplicationIntegration",
    "SimpleQueueService": "ApplicationIntegration",
    "ElastiCache": "Database",
    "DynamoDB": "Database",
    "APIGateway": "ApplicationIntegration",
    "StepFunctions": "ApplicationIntegration",
    "Cognito": "SecurityIdentityCompliance",
}


class Box(Struct, frozen=True):
    """Something that runs or holds data. Without an icon it is a plain rectangle, or a person's figure."""

    alias: str
    name: str
    note: str = ""
    icon: str = ""


class Frame(Struct, frozen=True):
    """A frame around others; an arrow may begin or end at it if it has an alias."""

    name: str
    members: Sequence["Box | Frame"]
    alias: str = ""


class Arrow(Struct, frozen=True, order=True):
    """A call or a flow of data; a dotted one is a check or a look-up on the way."""

    source: str
    target: str
    label: str = ""
    dotted: bool = False


class Picture(Struct, frozen=True):
    """A diagram."""

    title: str
    members: Sequence[Box | Frame]
    arrows: Sequence[Arrow]
    sideways: bool = False

    def boxes(self) -> list[Box]:
        """Every box, of all frames."""
        return [*_boxes(self.members)]


class Found(Struct, frozen=True):
    """A plan's resources, its outputs, and the variables that it was made with."""

    all: list[dict[str, Any]]
    outputs: Mapping[str, Any]
    variables: Mapping[str, Any]

    def of(self, kind: str, module: str = "") -> list[dict[str, Any]]:
        """The resources of a type, in modules with this name."""
        return [each for each in self.all if each["type"] == kind and f"module.{module}" in each["address"]]

    def values(self, kind: str, module: str = "") -> list[dict[str, Any]]:
        """Their values."""
        return [each.get("values", {}) for each in self.of(kind, module)]

    def functions(self) -> dict[str, str]:
        """The names of the Lambda functions, by their full names."""
        return {each["values"]["function_name"]: each["index"] for each in self.of("aws_lambda_function")}


def found(plan: Mapping[str, Any]) -> Found:
    """The parts of a plan (`terraform show -json`)."""
    planned = plan["planned_values"]
    return Found(
        resources(planned["root_module"]),
        {name: each.get("value") for name, each in planned["outputs"].items()},
        {name: each.get("value") for name, each in plan["variables"].items()},
    )


def alias(name: str) -> str:
    """A name that PlantUML accepts."""
    return re.sub(r"\W", "_", name)


def merged(arrows: Sequence[Arrow]) -> list[Arrow]:
    """One arrow for all of the same ends, with all labels."""
    labels: dict[tuple[str, str, bool], dict[str, None]] = {}
    for each in sorted(arrows):
        labels.setdefault((each.source, each.target, each.dotted), {}).update(dict.fromkeys([each.label]))
    return [Arrow(*ends[:2], ", ".join(filter(None, texts)), ends[2]) for ends, texts in labels.items()]


def source(picture: Picture) -> str:
    """The source of a picture for PlantUML."""
    icons = sorted({box.icon for box in picture.boxes()} - {"", "person"})
    lines = [
        "@startuml",
        "' Made from the plan of envs/prod by `python -m tests.deploy.terraform.pages`; a test compares the two.",
        "!pragma layout smetana",
        "!include <awslib14/AWSCommon>",
        *(f"!include <awslib14/{_ICONS[icon]}/{icon}>" for icon in icons),
        "skinparam shadowing false",
        "skinparam nodesep 40",
        "skinparam ranksep 50",
        "skinparam defaultFontSize 15",
        "skinparam arrowFontSize 15",
        "skinparam arrowFontColor #000000",
        *(["left to right direction"] if picture.sideways else []),
        f"title {picture.title}",
        *_members(picture.members, ""),
        *map(_arrow, picture.arrows),
    ]
    return "\n".join([*lines, "@enduml", ""])


def _boxes(members: Sequence[Box | Frame]) -> Iterator[Box]:
    for member in members:
        if isinstance(member, Frame):
            yield from _boxes(member.members)
        else:
            yield member


def _members(members: Sequence[Box | Frame], indent: str) -> Iterator[str]:
    for member in members:
        if isinstance(member, Frame):
            named = f" as {member.alias}" if member.alias else ""
            yield f'{indent}rectangle "{member.name}"{named} {{'
            yield from _members(member.members, f"{indent}  ")
            yield f"{indent}}}"
        elif member.icon == "person":
            yield f'{indent}actor "{member.name}" as {member.alias}'
        elif member.icon:
            yield f'{indent}{member.icon}({member.alias}, "{member.name}", "{member.note}")'
        else:
            text = "\\n".join(filter(None, [f"<b>{member.name}</b>", member.note]))
            yield f'{indent}rectangle "{text}" as {member.alias}'


def _arrow(arrow: Arrow) -> str:
    line = f"{arrow.source} {'..>' if arrow.dotted else '-->'} {arrow.target}"
    return f"{line} : {arrow.label}" if arrow.label else line
