"""acls.sh gives each role the ACLs that it needs by sizes.yaml, and no others."""

import os
import subprocess
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from tests.deploy.msk.conftest import ACLS
from tests.rigs.waiting import PATIENCE_S

_DEPLOY: Final = ACLS.parents[2]
_ROLES: Final[dict[str, Any]] = msgspec.yaml.decode((_DEPLOY / "sizes.yaml").read_bytes())["roles"]
_USERS: Final = ("archive", "producer", "producer-service", "rag", "operator", "topics")
_OPTIONS: Final = ["--bootstrap-server", "kafka:9096", "--command-config", "a file with a space"]


def _run(
    folder: Path, *arguments: str, tool: bool = True, names: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the script with a fake tool that prints its arguments, one call a line."""
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
        timeout=PATIENCE_S,
        check=False,
    )


def _rights(text: str) -> set[tuple[str, str]]:
    """Operation and resource of each ACL that was requested."""
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
def test_a_role_gets_its_acls_only(tmp_path: Path, role: str) -> None:
    """A role may read its topic and the topic's options, write its topics and dead letters, and nothing else."""
    done = _run(tmp_path, role, "User:CN=x, O=y", *_OPTIONS)
    assert done.returncode == 0, done.stderr
    said = _ROLES[role]
    writes = {("Write", f"topic {name}") for name in [*said["writes"], "tickets.dlq"]}
    reads = {(operation, f"topic {said['reads']}") for operation in ("Read", "DescribeConfigs")}
    assert _rights(done.stdout) == {*reads, ("Read", f"group {said['group']}"), *writes}


def test_users_get_the_acls_of_their_commands(tmp_path: Path) -> None:
    """A producer may write, the archiver read, an operator read and replay, and `topics` may create topics."""
    topics = [f"topic tickets.{name}" for name in ("raw", "enriched", "embedded", "dlq", "feedback")]
    rights = {role: _rights(_run(tmp_path, role, "User:CN=x, O=y", *_OPTIONS).stdout) for role in _USERS}
    assert rights["producer"] == {("Write", "topic tickets.raw")}
    assert rights["producer-service"] == {("Write", "topic tickets.raw"), ("Write", "topic tickets.dlq")}
    reads = {(operation, "topic tickets.raw") for operation in ("Read", "DescribeConfigs")}
    assert rights["archive"] == {*reads, ("Read", "group ticketstream-archive")}
    assert rights["rag"] == {("Write", "topic tickets.feedback")}
    reads = {("DescribeConfigs", "topic tickets.raw"), *(("Read", name) for name in [*topics, "group ticketstream*"])}
    assert rights["operator"] == {*reads, ("Write", "topic tickets.raw"), ("Write", "topic tickets.enriched")}
    assert rights["topics"] == {(operation, name) for name in topics for operation in ("Create", "Describe")}


def test_settings_rename_topics_and_group(tmp_path: Path) -> None:
    """The script takes the names of topics and group from the same variables as a worker."""
    names = {"TICKETS_TOPICS__RAW": "r", "TICKETS_TOPICS__DLQ": "d", "TICKETS_KAFKA__GROUP": "g"}
    done = _run(tmp_path, "pipeline", "User:CN=x, O=y", *_OPTIONS, names=names)
    reads = {("Read", "topic r"), ("DescribeConfigs", "topic r"), ("Read", "group g")}
    assert _rights(done.stdout) == {*reads, ("Write", "topic d")}


@pytest.mark.parametrize(
    ("arguments", "tool", "words"),
    [
        ([], True, "usage: acls.sh"),
        (["cook", "User:x"], True, "usage: acls.sh"),
        (["pipeline", "User:x"], False, "kafka-acls.sh is not on the PATH"),
    ],
)
def test_a_mistake_is_explained(tmp_path: Path, arguments: list[str], tool: bool, words: str) -> None:
    """The script prints its usage, or names the missing tool, and runs nothing."""
    done = _run(tmp_path, *arguments, tool=tool)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
