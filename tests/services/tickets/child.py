"""The ticket API in a process of its own, which a test may kill."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from core.failpoints import VARIABLE
from core.service_settings import ApiSettings
from core.settings import KafkaSettings, Settings
from core.topic_settings import TopicSettings
from services.tickets.__main__ import SERVICE
from tests.rigs.waiting import PATIENCE_S
from tests.services.tickets.apps import UNLIMITED, NamedCallers
from tests.services.tickets.mutants import MUTANTS

#: A process that has imported everything and forks each child, so a start takes 0.1 s instead of seconds.
_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


class Service:
    """A running service."""

    def __init__(self, process: BaseProcess, port: int | None) -> None:
        """`port` is None if the process has died before it answered."""
        self._process = process
        self.url = f"http://127.0.0.1:{port or 1}"

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.join(PATIENCE_S)

    def terminate(self) -> int | None:
        """SIGTERM. Returns the exit code."""
        self._process.terminate()
        self._process.join(PATIENCE_S)
        return self._process.exitcode

    @property
    def dead(self) -> bool:
        """Whether the process has ended."""
        return not self._process.is_alive()


def start_service(path: Path, brokers: str, topic: str, *, failpoints: str = "", mutant: str = "") -> Service:
    """Start a service over the file `path`, and return when it answers, or has died at a failpoint."""
    receiver, sender = _CONTEXT.Pipe(duplex=False)
    settings = Settings(
        kafka=KafkaSettings(brokers=brokers),
        topics=TopicSettings(raw=topic),
        api=ApiSettings(path=path, port=0),
        limits=UNLIMITED,
    )
    process = _CONTEXT.Process(target=_run, args=(sender, settings, failpoints, mutant), daemon=True)
    process.start()
    sender.close()
    assert receiver.poll(PATIENCE_S), "the service did not start"
    try:
        port = receiver.recv()
    except EOFError:
        port = None
    assert failpoints or port, "the service died at its start"
    return Service(process, port)


def _run(opened: Connection, settings: Settings, failpoints: str, mutant: str) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    os.environ[VARIABLE] = failpoints
    if mutant:
        MUTANTS[mutant]()
    SERVICE.serve(settings, stop, opened=opened.send, authenticator=NamedCallers())
