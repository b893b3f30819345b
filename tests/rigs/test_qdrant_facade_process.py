"""A facade in a separate process keeps answered writes when it is killed."""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from connectors.qdrant.open import open_index_for_writing
from connectors.qdrant.policy import VersionedIndex
from core.errors import TransientError
from core.settings import IndexSettings
from tests.contracts.index_laws import DIMENSION, MODEL, held, ticket
from tests.rigs.qdrant_facade import FacadeProcess, Fault
from tests.rigs.qdrant_facade.control import Command
from tests.rigs.waiting import PATIENCE_S, wait_until

#: Acked writes before the process is killed.
_ACKS = 20


def _open(facade: FacadeProcess, timeout_s: float = 1.0) -> VersionedIndex:
    return open_index_for_writing(IndexSettings(url=facade.url, timeout_s=timeout_s), dimension=DIMENSION, model=MODEL)


def test_a_fault_survives_the_control_channel() -> None:
    """A command with faults is equal after encoding and decoding."""
    command = Command(
        "inject", (Fault("slow", on="writes", times=3, seconds=1.5), Fault("refuses_point", ticket_id="7"))
    )
    assert msgspec.json.decode(msgspec.json.encode(command), type=Command) == command


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_acked_writes_survive_the_process(tmp_path: Path, end: str) -> None:
    """After three SIGKILLs or SIGTERMs under load every acked ticket is there, at the same address."""
    acked: set[str] = set()
    with FacadeProcess(tmp_path) as facade:
        url = facade.url
        for life in range(3):
            index = _open(facade, timeout_s=PATIENCE_S)
            ending = threading.Thread(target=getattr(facade, end))
            with suppress(TransientError):
                for number in range(10_000):
                    index.write([ticket(f"{life}-{number}", 1, 1 + number % 3)])
                    acked.add(f"{life}-{number}")
                    if number == _ACKS:
                        ending.start()
            ending.join()
            index.close()
            facade.restart()
        assert facade.url == url
        index = _open(facade, timeout_s=PATIENCE_S)
        there = {ticket_id for _tenant, ticket_id in held(index)}
        index.close()
    assert len(acked) >= 3 * _ACKS
    assert acked <= there


def test_a_paused_process_answers_once_resumed(tmp_path: Path) -> None:
    """Calls to a paused process time out; resumed, it serves again."""
    with FacadeProcess(tmp_path) as facade:
        index = _open(facade)
        facade.pause()
        with pytest.raises(TransientError, match="deadline_exceeded"):
            index.write([ticket("1", 1, 1)])
        index.close()
        facade.resume()
        index = _open(facade, timeout_s=PATIENCE_S)
        index.write([ticket("2", 1, 1)])
        assert ("acme", "2") in held(index)
        index.close()


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """The facade's process ends when its starter is killed."""
    script = (
        "import sys, time; from pathlib import Path; from tests.rigs.qdrant_facade import FacadeProcess\n"
        "print(FacadeProcess(Path(sys.argv[1])).pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        os.kill(pid, 0)  # it is there
        starter.kill()
    wait_until(lambda: not _runs(pid), lambda: "it outlives its starter")


def _runs(pid: int) -> bool:
    """False for a zombie too, because init may not have reaped it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
