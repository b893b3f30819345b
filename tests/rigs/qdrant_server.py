"""Real Qdrant servers, one or a cluster, of the executable that TICKETS_TEST_QDRANT names."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import httpx
import pytest

from local.ports import free_port
from tests.rigs.guard import guard
from tests.rigs.waiting import PATIENCE_S, wait_until

PROGRAM: Final = "TICKETS_TEST_QDRANT"
#: Another process may take a port between its choice and the server's start.
_TRIES: Final = 5
_LOOPBACK: Final = "127.0.0.1"


def qdrant_program() -> Path:
    """The executable; without one the test is skipped."""
    if PROGRAM not in os.environ:
        pytest.skip(f"{PROGRAM} names no executable of Qdrant")
    return Path(os.environ[PROGRAM]).resolve(strict=True)


class QdrantServer:
    """A server that runs from construction to `close`. A restart keeps its ports and its folder."""

    def __init__(
        self,
        program: Path,
        folder: Path,
        *,
        clustered: bool = False,
        bootstrap: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it, and wait until it is ready.

        Args:
            program: Qdrant's executable.
            folder: for its data.
            clustered: start it as a node of a cluster.
            bootstrap: the address of a node of the cluster that it joins; the first node has none.
            environment: further variables of its environment, for example its API key.
        """
        folder.mkdir(parents=True)
        #: Changes take effect at the next `restart`.
        self.environment = dict(environment or {})
        self._program, self._folder, self._clustered, self._bootstrap = program, folder, clustered, bootstrap
        self._process: subprocess.Popen[bytes] | None = None
        for _ in range(_TRIES):
            self._http, self._grpc, self._peers = free_port(), free_port(), free_port()
            if self._start():
                return
        pytest.fail(f"no Qdrant server could be started:\n{self.log()[-2_000:]}")

    @property
    def url(self) -> str:
        """The value for TICKETS_INDEX__URL."""
        return f"http://{_LOOPBACK}:{self._grpc}"

    @property
    def rest_url(self) -> str:
        """The address of its REST API."""
        return f"http://{_LOOPBACK}:{self._http}"

    @property
    def peer_url(self) -> str:
        """Its address for the cluster's other nodes."""
        return f"http://{_LOOPBACK}:{self._peers}"

    def log(self) -> str:
        """Its output so far."""
        return (self._folder / "log").read_text(errors="replace")

    def kill(self) -> None:
        """Send SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._guarding.kill()

    def restart(self) -> None:
        """Start it again after `kill`, and wait until it is ready."""
        assert self._start(), f"the server didn't start again:\n{self.log()[-2_000:]}"

    def freeze(self) -> None:
        """Connections stay open, and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def restore_snapshot(self, collection: str, name: str) -> None:
        """Put the collection back to a snapshot by the steps of docs/runbooks.md."""
        snapshots = f"{self.rest_url}/collections/{collection}/snapshots"
        saved = httpx.get(f"{snapshots}/{name}", timeout=PATIENCE_S).raise_for_status().content
        sent = {"snapshot": (name, saved)}
        httpx.post(f"{snapshots}/upload?priority=snapshot", files=sent, timeout=PATIENCE_S).raise_for_status()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill it. Idempotent."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _start(self) -> bool:
        """Start the process; false if it ends before it is ready."""
        command = [str(self._program), "--disable-telemetry"]
        if self._clustered:
            command += ["--uri", self.peer_url]
        if self._bootstrap:
            command += ["--bootstrap", self._bootstrap]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._guarding = guard(self._process.pid)
        wait_until(lambda: not self._runs() or self._is_ready())
        if not self._runs():
            self._guarding.kill()
        return self._runs()

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "QDRANT__SERVICE__HOST": _LOOPBACK,
            "QDRANT__SERVICE__HTTP_PORT": str(self._http),
            "QDRANT__SERVICE__GRPC_PORT": str(self._grpc),
            "QDRANT__STORAGE__STORAGE_PATH": str(self._folder / "storage"),
            "QDRANT__STORAGE__SNAPSHOTS_PATH": str(self._folder / "snapshots"),
            "QDRANT__CLUSTER__ENABLED": str(self._clustered).lower(),
            "QDRANT__CLUSTER__P2P__PORT": str(self._peers),
            **self.environment,
        }

    def _runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.rest_url}/readyz", timeout=PATIENCE_S).is_success
        except httpx.TransportError:
            return False


@contextmanager
def qdrant_cluster(
    program: Path, folder: Path, *, nodes: int, environment: Mapping[str, str] | None = None
) -> Iterator[list[QdrantServer]]:
    """A cluster of `nodes` nodes with these further variables, all of them ready."""
    servers: list[QdrantServer] = []
    try:
        for number in range(nodes):
            first = servers[0].peer_url if servers else None
            place = folder / f"node-{number}"
            servers.append(QdrantServer(program, place, clustered=True, bootstrap=first, environment=environment))
        yield servers
    finally:
        for server in servers:
            server.close()
