"""One Kafka process that is broker and controller."""

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

#: Configuration of every node, with short group timeouts.
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
    """A node with its data in `folder`; its log is `folder`/log."""

    def __init__(
        self,
        folder: Path,
        address: str,
        config: Mapping[str, str],
        *,
        java: Sequence[str],
        users: Mapping[str, str] = _NOBODY,
    ) -> None:
        """Write the configuration, without starting the process.

        Args:
            folder: its data folder, created if it is missing.
            address: address of its listener for clients.
            config: added to `COMMON`.
            java: the command, without the main class.
            users: passwords by name of the SCRAM users that `format` creates.
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
        """Process id, or None if it doesn't run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def format(self) -> subprocess.Popen[bytes]:
        """Start formatting the data folder, once before the first `start`, and return the process."""
        command = [*self._java, "kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(self._config)]
        command += [word for user in self._users for word in ("--add-scram", user)]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self) -> None:
        """Start the process, without waiting until it answers."""
        assert self.pid is None, f"{self.address} runs already"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._java, "kafka.Kafka", str(self._config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._guard = guard(self._process.pid)

    def wait_ready(self) -> None:
        """Wait until it answers clients. An AssertionError holds the end of its log."""
        deadline = time.monotonic() + _START_S
        while self.metadata() is None:
            assert self.pid is not None, self.log_tail()
            assert time.monotonic() < deadline, self.log_tail()

    def metadata(self) -> ClusterMetadata | None:
        """The cluster as this node sees it, or None if it doesn't answer within a second.

        Each call opens a new client, because one that knows the other brokers may ask any of them.
        """
        client = AdminClient({"bootstrap.servers": self.address, "log_level": 0, "reconnect.backoff.ms": 20})
        try:
            return client.list_topics(timeout=_ANSWER_S)
        except KafkaException:
            return None

    def log_tail(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-3000:]

    def kill(self) -> None:
        """Send SIGKILL, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._dismiss_guard()

    def terminate(self) -> bool:
        """Send SIGTERM; the node transfers its leaderships first. False: after two minutes it was killed."""
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
        """Send SIGSTOP: connections stay open and aren't answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Send SIGCONT."""
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
    """Format the nodes in parallel, because Java takes two seconds to start."""
    for node, process in [(node, node.format()) for node in nodes]:
        code = process.wait(_START_S)
        assert code == 0, f"Kafka's StorageTool ended with {code}: {node.log_tail()}"
