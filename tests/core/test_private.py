"""Files and folders that only their user can access."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.private import keep_private, make_private_folder, open_private


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """The process's usual umask, which lets everybody read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_missing_folders_are_created_for_the_user_alone(tmp_path: Path) -> None:
    """The folder and its missing parents have mode 0700; an existing parent keeps its mode."""
    (tmp_path / "there").mkdir(0o755)
    make_private_folder(tmp_path / "there" / "a" / "b")
    make_private_folder(tmp_path / "there" / "a" / "b")
    assert [_mode(tmp_path / name) for name in ("there", "there/a", "there/a/b")] == [0o755, 0o700, 0o700]


def test_a_file_is_opened_for_the_user_alone(tmp_path: Path) -> None:
    """A new file has mode 0600, and an existing one gets it and is emptied; a device stays as it is."""
    (tmp_path / "old").write_text("text")
    for name in ("old", "new"):
        open_private(tmp_path / name).close()
        assert (_mode(tmp_path / name), (tmp_path / name).read_text()) == (0o600, "")
    mode = _mode(Path("/dev/null"))
    open_private(Path("/dev/null")).close()
    assert _mode(Path("/dev/null")) == mode


def test_a_folder_is_closed_to_others_with_all_that_comes_into_it(tmp_path: Path) -> None:
    """Other users lose access to existing files and folders and get none to new ones; links are not followed."""
    outside = tmp_path / "outside"
    outside.write_text("")
    folder = tmp_path / "index"
    (folder / "shard").mkdir(parents=True)
    (folder / "shard" / "texts").write_text("")
    (folder / "link").symlink_to(outside)
    assert keep_private(folder) is None
    (folder / "shard" / "later").write_text("")
    assert {_mode(path) & 0o077 for path in (folder, *folder.rglob("*")) if not path.is_symlink()} == {0}
    assert _mode(outside) == 0o644


def test_a_folder_behind_a_link_is_closed_too(tmp_path: Path) -> None:
    """A volume may be mounted elsewhere, and the index's folder be a link to it."""
    (tmp_path / "volume").mkdir(0o755)
    (tmp_path / "index").symlink_to(tmp_path / "volume")
    assert keep_private(tmp_path / "index") is None
    assert _mode(tmp_path / "volume") == 0o700


def test_what_cannot_be_closed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result names a file that stays open, whether the system refuses the change or ignores it."""
    (tmp_path / "texts").write_text("")
    tmp_path.chmod(0o700)

    def refuse(_path: Path, _mode: int) -> None:
        raise PermissionError

    for chmod in (refuse, lambda _path, _mode: None):
        monkeypatch.setattr(Path, "chmod", chmod)
        assert keep_private(tmp_path) == tmp_path / "texts"
