"""The lock on an embedded index's folder: one owner at a time, which other processes can find."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.qdrant.lock import Owner, find_owner, last_taken, take_lock
from core.errors import ConfigError
from core.settings import IndexSettings
from tests.contracts.index_laws import opened, ticket

_HOLD = (
    "import sys; from pathlib import Path; from connectors.qdrant.lock import take_lock\n"
    "lock = take_lock(Path(sys.argv[1])); lock.announce('http://127.0.0.1:1', 'secret')\n"
    "print('held', flush=True); sys.stdin.read()\n"
)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock and has announced its address."""
    command = [sys.executable, "-c", _HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_told_who_holds_the_folder_and_what_to_do(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    """The error names the owner's process and the setting for a Qdrant server."""
    with pytest.raises(ConfigError, match=rf"in use by process {holder.pid},.* TICKETS_INDEX__URL"):
        take_lock(tmp_path)


def test_the_owner_is_found_as_long_as_it_lives(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    """A killed owner's files neither name an owner nor stop the next one."""
    assert find_owner(tmp_path) == Owner(holder.pid, "http://127.0.0.1:1", "secret")
    holder.kill()
    holder.wait()
    assert (tmp_path / "worker.json").exists()
    assert find_owner(tmp_path) is None
    following = take_lock(tmp_path)
    assert find_owner(tmp_path) == Owner(os.getpid())
    following.release()


def test_an_index_is_for_its_user_alone(tmp_path: Path) -> None:
    """Opening an index removes other users' access to its folder, and to existing files in it."""
    path = tmp_path / "data" / "index"
    before = os.umask(0o022)
    try:
        opened(IndexSettings(path=path)).close()
        modes = {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in (path.parent, path, *path.rglob("*"))}
        assert modes == {0}
        wide = [path, *path.rglob("*")]
        for file in wide:
            file.chmod(0o755)
        index = opened(IndexSettings(path=path))
        index.write([ticket("1", 1, 3)])
        index.close()
    finally:
        os.umask(before)
    assert len(wide) > 10
    assert {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in (path, *path.rglob("*"))} == {0}


def test_a_warning_if_others_can_read_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder whose permissions can't be changed is used, and a warning names it."""
    tmp_path.chmod(0o755)
    monkeypatch.setattr(Path, "chmod", lambda _path, _mode: None)
    take_lock(tmp_path).release()
    assert f"other users of this machine may read {tmp_path}, and its permissions can't be changed" in caplog.text


def test_the_token_is_for_this_user_only(tmp_path: Path) -> None:
    """The token's file has mode 0600 and is removed on release; a second release does nothing."""
    lock = take_lock(tmp_path)
    lock.announce("http://127.0.0.1:1", "secret")
    assert stat.S_IMODE((tmp_path / "worker.json").stat().st_mode) == 0o600
    lock.release()
    lock.release()
    assert not (tmp_path / "worker.json").exists()
    assert find_owner(tmp_path) is None


def test_looking_for_an_owner_never_stops_a_start(tmp_path: Path) -> None:
    """A process gets the lock although others test it with `find_owner` all the time."""
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            find_owner(tmp_path)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(200):
            take_lock(tmp_path).release()
    finally:
        stop.set()
        for looker in lookers:
            looker.join()


def test_each_owner_leaves_a_trace(tmp_path: Path) -> None:
    """`last_taken` changes with each owner, also when the owner is gone, and nothing else changes it."""
    assert last_taken(tmp_path) is None
    take_lock(tmp_path).release()
    first = last_taken(tmp_path)
    find_owner(tmp_path)
    assert last_taken(tmp_path) == first is not None
    os.utime(tmp_path / "lock", ns=(0, 0))  # long ago
    take_lock(tmp_path).release()
    assert last_taken(tmp_path) != (0, first[1])


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    """A folder with other files is refused and stays as it was; the root of a new volume is accepted."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"TICKETS_INDEX__PATH: .*home contains letter.txt and is not an index; set"):
        take_lock(tmp_path / "home")
    assert [entry.name for entry in (tmp_path / "home").iterdir()] == ["letter.txt"]
    (tmp_path / "volume" / "lost+found").mkdir(parents=True)
    take_lock(tmp_path / "volume").release()


def test_a_file_in_the_folders_place_is_the_users_mistake(tmp_path: Path) -> None:
    """The error names the setting, and nobody owns the file."""
    (tmp_path / "index").write_text("a file")
    with pytest.raises(ConfigError, match=r"TICKETS_INDEX__PATH: can't write .*index"):
        take_lock(tmp_path / "index")
    assert find_owner(tmp_path / "index") is None
