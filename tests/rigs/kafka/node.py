"""One Kafka process, broker and controller at once: its folder, its configuration, its life."""

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata  # type: ignore[attr-defined]  # exported, not declared

from tests.rigs.guard import guard
from tests.rigs.waiting import PATIENCE_S

_CLUSTER_ID: Final = "MkU3OEVBNTcwNTJENDM2Qk"
#: Three at once on two busy cores have taken 50 s.
_START_S: Final = 150.0
_ANSWER_S: Final = 1.0
_NOBODY: Final[Mapping[str, str]] = {}

#: Of every node: groups as quick as a test wants them.
COMMON: Final[dict[str, str]] = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.consumer.heartbeat.interval.ms": "500",
    "group.consumer.min.heartbeat.interval.ms": "500",
    "group.consumer.session.timeout.ms": "6000",
    "group.consumer.min.session.timeout.ms": "6000",
}


class Node:
    """A node of its own folder; its log is `folder`/log."""

    def __init__(
        self,
        folder: Path,
        address: str,
        config: Mapping[str, str],
        *,
        java: Sequence[str],
        users: Mapping[str, str] = _NOBODY,
    ) -> None:
        """Write the configuration; nothing runs yet.

        Args:
            folder: for its data, made if need be.
            address: where it answers clients.
            config: beside `COMMON`.
            java: the command, without the class to run.
            users: passwords of the SCRAM users that it is formatted with, by name.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.address = address
        self._folder = folder
        self._config = folder / "server.properties"
        lines = {**COMMON, "log.dirs": str(folder / "data"), **config}
        self._config.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        self._users = [f"SCRAM-SHA-512=[name={name},password={password}]" for name, password in users.items()]
        self._java = java
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of its process; None when it doesn't run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def format(self) -> subprocess.Popen[bytes]:
        """Make the data folder; once, before the first start. The process that does it."""
        command = [*self._java, "kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(self._config)]
        command += [word for user in self._users for word in ("--add-scram", user)]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self) -> None:
        """Start it, without waiting for it."""
        assert self.pid is None, f"{self.address} runs already"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._java, "kafka.Kafka", str(self._config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._guard = guard(self._process.pid)

    def wait_ready(self) -> None:
        """Wait until it answers clients; fails with its own words."""
        deadline = time.monotonic() + _START_S
        while self.metadata() is None:
            assert self.pid is not None, self.words()
            assert time.monotonic() < deadline, self.words()

    def metadata(self) -> ClusterMetadata | None:
        """The cluster as this node sees it; None when it doesn't answer within a second.

        A new client each time: one that knows the other brokers too may ask any of them.
        """
        client = AdminClient({"bootstrap.servers": self.address, "log_level": 0, "reconnect.backoff.ms": 20})
        try:
            return client.list_topics(timeout=_ANSWER_S)
        except KafkaException:
            return None

    def words(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-3000:]

    def kill(self) -> None:
        """SIGKILL; nothing if it doesn't run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._dismiss_guard()

    def terminate(self) -> bool:
        """SIGTERM, which hands its leaderships over first; killed, and False, when that takes more than a minute."""
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self._dismiss_guard()
        return True

    def pause(self) -> None:
        """SIGSTOP: its connections stay, and nobody answers on them."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _dismiss_guard(self) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.kill()
            self._guard.wait()
            self._guard.stdin.close()
            self._guard = None

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


def format_all(*nodes: Node) -> None:
    """Format the nodes side by side: each takes Java two seconds to start."""
    for node, process in [(node, node.format()) for node in nodes]:
        code = process.wait(_START_S)
        assert code == 0, f"Kafka's StorageTool ended with {code}: {node.words()}"
