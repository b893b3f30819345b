"""Runs tasks of the producer in child processes, which a test may kill."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from core.failpoints import VARIABLE
from core.service_settings import ProducerSettings
from core.settings import KafkaSettings, Settings
from core.telemetry_settings import HealthSettings
from core.topic_settings import TopicSettings
from services.producer.__main__ import serve
from tests.rigs.waiting import PATIENCE_S
from tests.services.producer.mutants import MUTANTS

#: A process that has imported everything forks each child, so a start takes a tenth of a second, not seconds.
_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])

#: The minimum of the setting; after this time another task takes over the files of a killed one.
LEASE_S: Final = 3.0


class Child:
    """A running task."""

    def __init__(self, process: BaseProcess, port: int | None) -> None:
        """`port` is the port of the probes; None if the process died before it served them."""
        self._process = process
        self.url = f"http://127.0.0.1:{port or 1}"

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.join(PATIENCE_S)

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self._process.pid or 0, number)

    def terminate(self) -> int | None:
        """SIGTERM. Returns the exit code."""
        self._process.terminate()
        self._process.join(PATIENCE_S)
        return self._process.exitcode

    @property
    def dead(self) -> bool:
        """Whether the process has ended."""
        return not self._process.is_alive()


def start_task(
    folder: Path,
    brokers: str,
    topics: TopicSettings,
    *,
    failpoints: str = "",
    mutant: str = "",
    rate: float | None = None,
) -> Child:
    """Start a task that reads `folder`/in, and return once its probes answer, or it has died at a failpoint."""
    receiver, sender = _CONTEXT.Pipe(duplex=False)
    settings = Settings(
        kafka=KafkaSettings(brokers=brokers),
        topics=topics,
        health=HealthSettings(port=0),
        producer=ProducerSettings(
            sources=str(folder / "in"), path=folder / "producer.db", scan_s=0.1, lease_s=LEASE_S, settle_s=1, rate=rate
        ),
    )
    process = _CONTEXT.Process(target=_run, args=(sender, settings, failpoints, mutant), daemon=True)
    process.start()
    sender.close()
    assert receiver.poll(PATIENCE_S), "the task did not start"
    try:
        port = receiver.recv()
    except EOFError:
        port = None
    assert failpoints or port, "the task died at its start"
    return Child(process, port)


def _run(opened: Connection, settings: Settings, failpoints: str, mutant: str) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    os.environ[VARIABLE] = failpoints
    if mutant:
        MUTANTS[mutant]()
    serve(settings, stop, opened=opened.send)
