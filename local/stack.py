"""Runs a whole stream on this machine: a broker with its topics, and a worker process."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from connectors.kafka.topics import create_topics, load_topics
from connectors.qdrant.lock import find_owner
from core.environment import load_settings
from core.errors import UnavailableError
from core.settings import Settings
from local.broker import start_broker
from local.ports import free_port
from local.processes import LocalProcess, open_process

_START_S: Final = 120.0

#: Prefixes of the settings that select a stream. The user's values of these are not passed on.
_OURS: Final = ("TICKETS_KAFKA__", "TICKETS_INDEX__", "TICKETS_TOPICS__")


class LocalStream:
    """A running stream.

    Attributes:
        settings: lead to its broker, topics and index.
        variables: the same as environment variables, for a command that is to use this stream.
        environment: the complete environment of a process that is to use this stream, including `variables`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        variables: Mapping[str, str],
        environment: Mapping[str, str],
        worker: LocalProcess,
    ) -> None:
        self.settings = settings
        self.variables = variables
        self.environment = environment
        self._worker = worker

    @property
    def metrics_url(self) -> str:
        """The worker's Prometheus endpoint."""
        return f"http://127.0.0.1:{self.settings.health.port}/metrics"

    def check(self) -> None:
        """Raise the worker's error if the worker has ended.

        Raises:
            FatalError: with the last line of the worker's log, and the worker's exit code.
        """
        self._worker.check()


def open_local_stream(
    folder: Path, stack: ExitStack, *, say: Callable[[str], None], environ: Mapping[str, str] | None = None
) -> LocalStream:
    """Start a broker, create the topics, start a worker and wait until it answers. `stack` ends them.

    Args:
        folder: for the index and the logs.
        stack: drains the worker, then stops the broker.
        say: called with the description of each step, for display.
        environ: the user's settings for everything but Kafka, topics and index; by default the process's environment.

    Raises:
        ConfigError: a setting is wrong.
        UnavailableError: there is no broker for this platform, or the worker is not ready in time.
        FatalError: the worker ended before it was ready.
    """
    say("starting the broker")
    broker = start_broker(log=folder / "broker.log")
    stack.callback(broker.stop)
    variables = {
        "TICKETS_KAFKA__BROKERS": broker.address,
        "TICKETS_INDEX__PATH": str(folder / "index"),
        "TICKETS_HEALTH__PORT": str(free_port()),
    }
    given = os.environ if environ is None else environ
    environment = {name: value for name, value in given.items() if not name.upper().startswith(_OURS)} | variables
    settings = load_settings(environment)
    say("creating the topics")
    create_topics(settings, load_topics(None), replication=1)
    say("starting the worker")
    log = folder / "worker.log"
    worker = open_process("the worker", ("bytewax.run", "dataflows.tickets"), environment, log, stack)
    stream = LocalStream(settings, variables=variables, environment=environment, worker=worker)
    _await_worker(stream, log)
    return stream


def _await_worker(stream: LocalStream, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while (owner := find_owner(stream.settings.index.path)) is None or owner.address is None:
        stream.check()
        if time.monotonic() > deadline:
            raise UnavailableError(f"the worker is not ready after {_START_S:.0f} s; see {log}")
        time.sleep(0.05)
