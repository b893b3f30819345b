"""The script that gives roles their rights: just those that sizes.yaml says a role needs."""

import os
import subprocess
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from tests.deploy.msk.conftest import ACLS

_DEPLOY: Final = ACLS.parents[2]
_ROLES: Final[dict[str, Any]] = msgspec.yaml.decode((_DEPLOY / "sizes.yaml").read_bytes())["roles"]
_PEOPLE: Final = ("producer", "operator", "topics")
_OPTIONS: Final = ["--bootstrap-server", "kafka:9096", "--command-config", "a file with a space"]


def _run(
    folder: Path, *arguments: str, tool: bool = True, names: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """The script, with a tool that only says what it was given, one call a line."""
    if tool:
        said = folder / "kafka-acls.sh"
        said.write_text('#!/bin/sh\nfor word; do printf "%s\\t" "$word"; done\necho\n')
        said.chmod(0o755)
    path = f"{folder}:/usr/bin:/bin"
    return subprocess.run(
        [str(ACLS), *arguments],
        env={"PATH": path, "HOME": os.environ.get("HOME", "/"), **(names or {})},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def _rights(text: str) -> set[tuple[str, str]]:
    """Operation and resource of each right asked for."""
    found = set()
    for line in text.splitlines():
        words = line.strip("\t").split("\t")
        assert words[: len(_OPTIONS)] == _OPTIONS
        assert words[len(_OPTIONS) :][:3] == ["--add", "--allow-principal", "User:CN=x, O=y"]
        pairs = list(pairwise(words))
        operations = [value for name, value in pairs if name == "--operation"]
        prefixed = "*" if "prefixed" in words else ""
        resources = [f"{name[2:]} {value}{prefixed}" for name, value in pairs if name in {"--topic", "--group"}]
        found |= {(operation, resource) for operation in operations for resource in resources}
    return found


@pytest.mark.parametrize("role", _ROLES)
def test_a_role_may_do_what_it_does(tmp_path: Path, role: str) -> None:
    """Read its topic as its group, write its topics and the dead letters; nothing else."""
    done = _run(tmp_path, role, "User:CN=x, O=y", *_OPTIONS)
    assert done.returncode == 0, done.stderr
    said = _ROLES[role]
    writes = {("Write", f"topic {name}") for name in [*said["writes"], "tickets.dlq"]}
    assert _rights(done.stdout) == {("Read", f"topic {said['reads']}"), ("Read", f"group {said['group']}"), *writes}


def test_people_may_do_what_their_commands_do(tmp_path: Path) -> None:
    """A producer writes, an operator reads and replays, and topics are made by whoever is to make them."""
    topics = [f"topic tickets.{name}" for name in ("raw", "enriched", "embedded", "dlq")]
    rights = {role: _rights(_run(tmp_path, role, "User:CN=x, O=y", *_OPTIONS).stdout) for role in _PEOPLE}
    assert rights["producer"] == {("Write", "topic tickets.raw")}
    reads = {("Read", name) for name in [*topics, "group ticketstream*"]}
    assert rights["operator"] == {*reads, ("Write", "topic tickets.raw"), ("Write", "topic tickets.enriched")}
    assert rights["topics"] == {(operation, name) for name in topics for operation in ("Create", "Describe")}


def test_names_are_those_of_the_settings(tmp_path: Path) -> None:
    """The variables that a worker is given name its topics and its group here too."""
    names = {"TICKETS_TOPICS__RAW": "r", "TICKETS_TOPICS__DLQ": "d", "TICKETS_KAFKA__GROUP": "g"}
    done = _run(tmp_path, "pipeline", "User:CN=x, O=y", *_OPTIONS, names=names)
    assert _rights(done.stdout) == {("Read", "topic r"), ("Read", "group g"), ("Write", "topic d")}


@pytest.mark.parametrize(
    ("arguments", "tool", "words"),
    [
        ([], True, "usage: acls.sh"),
        (["cook", "User:x"], True, "usage: acls.sh"),
        (["pipeline", "User:x"], False, "kafka-acls.sh is not on the PATH"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, arguments: list[str], tool: bool, words: str) -> None:
    """How it is used, or what is missing; nothing is run."""
    done = _run(tmp_path, *arguments, tool=tool)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
