"""Kafka's classes as a running broker has them, kept in a file: with it the next one starts in half the time.

Java's class data sharing (JEP 350, dynamic archives). Recorded once, in ten seconds, beside the jars.
"""

import tempfile
from pathlib import Path

from tests.rigs.kafka.jars import jars, java, one_at_a_time
from tests.rigs.kafka.node import Node, format_all
from tests.rigs.ports import free_port


def quick_java(heap_mb: int) -> list[str]:
    """As `java`, with the archive; a Java that can't use it does without."""
    archive = jars() / "broker.jsa"
    with one_at_a_time(archive.parent):
        if not archive.exists():
            _record(archive)
    return java(heap_mb, f"-XX:SharedArchiveFile={archive}")


def _record(archive: Path) -> None:
    draft = archive.with_suffix(".draft")
    with tempfile.TemporaryDirectory(prefix="kafka-") as name:
        address, controller = (f"127.0.0.1:{free_port()}" for _ in range(2))
        config = {
            "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"PLAINTEXT://{address},CONTROLLER://{controller}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        }
        node = Node(Path(name), address, config, java=java(256, f"-XX:ArchiveClassesAtExit={draft}"))
        try:
            format_all(node)
            node.start()
            node.wait_ready()
            node.terminate()
        finally:
            node.kill()
    draft.rename(archive)
