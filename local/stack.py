"""A whole stream on this machine: a broker, its topics and a worker process, in a folder of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from connectors.kafka.topics import create_topics, load_topics
from connectors.qdrant.ownership import find_owner
from core.environment import load_settings
from core.errors import FatalError, UnavailableError
from core.settings import Settings
from local.broker import LocalBroker, start_broker

_START_S: Final = 120.0
_STOP_S: Final = 30.0


class LocalStream:
    """Started by construction, stopped by `close`, in that order's reverse."""

    def __init__(self, folder: Path, *, say: Callable[[str], None]) -> None:
        """Start the broker, create the topics, start the worker and wait until it answers.

        Args:
            folder: where the index and the logs go.
            say: told what is being done, for a person who waits.

        Raises:
            UnavailableError: the broker can't be had on this platform.
            FatalError: the worker ends before it is ready; the message is the worker's own.
        """
        self._log = folder / "worker.log"
        say("starting the broker")
        self._broker: LocalBroker = start_broker(log=folder / "broker.log")
        self._worker: subprocess.Popen[bytes] | None = None
        try:
            self.environment: Mapping[str, str] = {
                "TICKETS_KAFKA__BROKERS": self._broker.address,
                "TICKETS_INDEX__PATH": str(folder / "index"),
                "TICKETS_HEALTH__PORT": str(_free_port()),
            }
            self.settings = self._settings()
            say("creating the topics")
            create_topics(self.settings, load_topics(None), replication=1)
            say("starting the worker")
            self._worker = self._start_worker()
            self._await_worker()
        except BaseException:
            self.close()
            raise

    @property
    def metrics_url(self) -> str:
        """Where Prometheus would look."""
        return f"http://127.0.0.1:{self.environment['TICKETS_HEALTH__PORT']}/metrics"

    def check(self) -> None:
        """Raise what ended the worker, if it has ended.

        Raises:
            FatalError: the worker's last words, with its exit code.
        """
        if self._worker is None or self._worker.poll() is None:
            return
        lines = self._log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        fault = FatalError(f"the worker has ended: {lines[-1].removeprefix('ticketstream: ')}")
        fault.exit_code = self._worker.returncode if self._worker.returncode > 0 else fault.exit_code
        raise fault

    def close(self) -> None:
        """Drain the worker, then stop the broker."""
        if self._worker is not None and self._worker.poll() is None:
            self._worker.send_signal(signal.SIGTERM)
            try:
                self._worker.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._worker.kill()
        self._broker.stop()

    def _settings(self) -> Settings:
        """The user's settings, but for where this stream's broker and index are."""
        for name in [n for n in os.environ if n.startswith(("TICKETS_KAFKA__", "TICKETS_INDEX__", "TICKETS_TOPICS__"))]:
            del os.environ[name]
        os.environ.update(self.environment)
        return load_settings()

    def _start_worker(self) -> subprocess.Popen[bytes]:
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "bytewax.run", "dataflows.tickets"],
                env=dict(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; the worker is drained by SIGTERM
            )

    def _await_worker(self) -> None:
        deadline = time.monotonic() + _START_S
        while (owner := find_owner(self.settings.index.path)) is None or owner.address is None:
            self.check()
            if time.monotonic() > deadline:
                raise UnavailableError(f"the worker is not ready after {_START_S:.0f} s; see {self._log}")
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
