"""One owner per folder, and others find it."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.qdrant.ownership import Owner, Ownership, find_owner
from core.errors import ConfigError

_HOLD = (
    "import sys; from pathlib import Path; from connectors.qdrant.ownership import Ownership\n"
    "owned = Ownership(Path(sys.argv[1])); owned.announce('http://127.0.0.1:1', 'secret')\n"
    "print('held', flush=True); sys.stdin.read()\n"
)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder and has announced itself."""
    command = [sys.executable, "-c", _HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_told_who_holds_the_folder_and_what_to_do(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    """The line names the process, and the setting that lets several workers be."""
    with pytest.raises(ConfigError, match=rf"in use by process {holder.pid},.* TICKETS_INDEX__URL"):
        Ownership(tmp_path)


def test_the_owner_is_found_as_long_as_it_lives(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    """What a killed owner leaves behind is no owner, and doesn't bar the next."""
    assert find_owner(tmp_path) == Owner(holder.pid, "http://127.0.0.1:1", "secret")
    holder.kill()
    holder.wait()
    assert (tmp_path / "worker.json").exists()
    assert find_owner(tmp_path) is None
    following = Ownership(tmp_path)
    assert find_owner(tmp_path) == Owner(os.getpid())
    following.release()


def test_the_token_is_for_this_user_only(tmp_path: Path) -> None:
    """Mode 0600 from the first byte on, and gone after release; releasing twice is fine."""
    owned = Ownership(tmp_path)
    owned.announce("http://127.0.0.1:1", "secret")
    assert stat.S_IMODE((tmp_path / "worker.json").stat().st_mode) == 0o600
    owned.release()
    owned.release()
    assert not (tmp_path / "worker.json").exists()
    assert find_owner(tmp_path) is None


def test_looking_for_an_owner_never_bars_a_start(tmp_path: Path) -> None:
    """`find_owner` takes the lock for an instant; a worker that starts in that instant is not refused."""
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            find_owner(tmp_path)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(200):
            Ownership(tmp_path).release()
    finally:
        stop.set()
        for looker in lookers:
            looker.join()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """A home folder, say: refused with what lies there, and nothing is added to it. A fresh volume's root is fine."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"TICKETS_INDEX__PATH: .*home holds letter.txt and no index; name a folder"):
        Ownership(tmp_path / "home")
    assert [entry.name for entry in (tmp_path / "home").iterdir()] == ["letter.txt"]
    (tmp_path / "volume" / "lost+found").mkdir(parents=True)
    Ownership(tmp_path / "volume").release()


def test_what_is_no_folder_is_the_users_mistake(tmp_path: Path) -> None:
    """A file where the folder should be: one line that names the setting."""
    (tmp_path / "index").write_text("a file")
    with pytest.raises(ConfigError, match=r"TICKETS_INDEX__PATH: can't write .*index"):
        Ownership(tmp_path / "index")
    assert find_owner(tmp_path / "index") is None
