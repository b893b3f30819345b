"""A stream on a cluster with the shipped files, whose users have the ACLs of their role."""

import os
import shlex
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.world import World
from tests.rigs.kafka import KafkaCluster, java
from tests.rigs.kafka.secured import CERTIFIED
from tests.rigs.waiting import PATIENCE_S

ACLS: Final = Path(__file__).parents[3] / "deploy" / "k8s-ecs" / "msk" / "acls.sh"
_SCRAM: Final = "User:ticketstream"


@pytest.fixture(scope="module")
def world(_kafka_cluster: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The declared topics, and the ACLs of each role from the shipped script."""
    folder = tmp_path_factory.mktemp("msk")
    made = World(_kafka_cluster.address, folder, replication=3, declared=True)
    tool = folder / "kafka-acls.sh"
    tool.write_text(f'#!/bin/sh\nexec {shlex.join(java(128))} org.apache.kafka.tools.AclCommand "$@"\n')
    tool.chmod(0o755)
    environment = made.environment(PATH=f"{folder}:{os.environ['PATH']}")
    roles = (("pipeline", _SCRAM), ("pipeline", CERTIFIED), ("producer", "User:producer"))
    running = [
        subprocess.Popen(
            [str(ACLS), role, who, "--bootstrap-server", _kafka_cluster.address],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for role, who in roles
    ]
    for process in running:
        said, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, said
    _kafka_cluster.wait_metadata()
    return made
