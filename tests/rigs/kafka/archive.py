"""Records an archive of the classes that a broker loads, which halves the start-up time of later ones.

It uses Java's class data sharing (JEP 350, dynamic archives). Recording takes ten seconds, once; the archive is
beside the jars.
"""

import shutil
import tempfile
from pathlib import Path

from local.ports import free_port
from tests.rigs.kafka.jars import folder_lock, jars, java
from tests.rigs.kafka.node import Node, format_all


def quick_java(heap_mb: int) -> list[str]:
    """Like `java`, with the archive if this Java can record one."""
    folder = jars()
    made_by = Path(shutil.which("java") or "java").resolve().stat().st_mtime_ns  # another Java can't use it
    archive = folder / f"broker-{made_by}.jsa"
    with folder_lock(folder):
        if not archive.exists():
            _record(archive)
    return java(heap_mb, f"-XX:SharedArchiveFile={archive}")


def _record(archive: Path) -> None:
    """Start a broker and terminate it: Java writes the archive on exit."""
    draft = archive.with_suffix(".draft")
    with tempfile.TemporaryDirectory(prefix="kafka-") as name:
        address, controller = (f"127.0.0.1:{free_port()}" for _ in range(2))
        config = {
            "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"PLAINTEXT://{address},CONTROLLER://{controller}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        }
        format_all(Node(Path(name), address, config, java=java(256)))
        node = Node(Path(name), address, config, java=java(256, f"-XX:ArchiveClassesAtExit={draft}"))
        try:
            node.start()
            node.wait_ready()
            if node.terminate() and draft.exists():
                draft.rename(archive)
        finally:
            node.kill()
