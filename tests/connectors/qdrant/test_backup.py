"""Backups of an embedded index: complete or refused, private, and restored in one step."""

import os
import stat
from pathlib import Path

import pytest

from connectors.qdrant.backup import back_up_folder, read_backup, restore_folder
from connectors.qdrant.copying import copy_file
from connectors.qdrant.engine import NoIndexError
from connectors.qdrant.lock import InUseError
from connectors.qdrant.open import EmbeddedIndex
from core.errors import ConfigError, TransientError, UnavailableError
from core.settings import IndexSettings
from tests.connectors.qdrant.disks import ReportedDisk
from tests.contracts.digest import digest
from tests.contracts.index_laws import held, opened, ticket


@pytest.fixture
def settings(tmp_path: Path) -> IndexSettings:
    """A closed index of 20 tickets."""
    settings = IndexSettings(path=tmp_path / "index", min_free_mib=1)
    index = opened(settings)
    index.write([ticket(str(n), 1, 2) for n in range(20)])
    index.close()
    return settings


def _seen(settings: IndexSettings) -> tuple[object, ...]:
    index = opened(settings)
    try:
        return digest(index), held(index), index.store.read()
    finally:
        index.close()


def _restore(settings: IndexSettings, source: Path) -> None:
    restore_folder(settings.path, source, min_free_mib=settings.min_free_mib)


def test_a_restored_index_is_as_it_was_when_it_was_saved(settings: IndexSettings, tmp_path: Path) -> None:
    """Tickets, vectors and provenance are those of the backup, and later writes are gone."""
    before = _seen(settings)
    back_up_folder(settings.path, tmp_path / "backup")
    index = opened(settings)
    index.write([ticket("3", 2, 0), ticket("new", 1, 1)])
    index.close()
    assert _seen(settings) != before
    _restore(settings, tmp_path / "backup")
    assert _seen(settings) == before
    assert len(list(settings.path.glob("shard*"))) == 1


def test_an_open_index_is_saved_with_all_that_was_acked(settings: IndexSettings, tmp_path: Path) -> None:
    """A running worker makes the copy, also of writes that are not flushed; searches and writes go on afterwards."""
    index = opened(settings)
    assert isinstance(index, EmbeddedIndex)
    index.write([ticket("3", 2, 1), ticket("new", 1, 1)])
    index.back_up(tmp_path / "backup")
    index.write([ticket("later", 1, 1)])
    index.close()
    other = IndexSettings(path=tmp_path / "other", min_free_mib=1)
    _restore(other, tmp_path / "backup")
    found = opened(other)
    assert held(found)["acme", "3"] == (2, False)
    assert ("acme", "new") in held(found)
    assert ("acme", "later") not in held(found)
    found.close()


def test_one_backup_is_made_at_a_time(settings: IndexSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that were asked for the same folder at once would find it empty, and one would delete the other's files."""
    index = opened(settings)
    assert isinstance(index, EmbeddedIndex)

    def beside_another(source: Path, target: Path) -> None:
        with pytest.raises(TransientError, match="another backup of this index is being made"):
            index.back_up(tmp_path / "backup")
        copy_file(source, target)

    monkeypatch.setattr("connectors.qdrant.backup.copy_file", beside_another)
    index.back_up(tmp_path / "backup")
    assert (tmp_path / "backup" / "backup.json").exists()
    index.close()


def test_a_lost_index_is_restored_into_a_new_folder(settings: IndexSettings, tmp_path: Path) -> None:
    """The folder of the index needn't exist."""
    before = _seen(settings)
    back_up_folder(settings.path, tmp_path / "backup")
    lost = IndexSettings(path=tmp_path / "lost" / "index", min_free_mib=1)
    _restore(lost, tmp_path / "backup")
    assert _seen(lost) == before


def test_nobody_else_can_read_a_backup(settings: IndexSettings, tmp_path: Path) -> None:
    """Every file and folder belongs to its user alone, whatever the umask."""
    before = os.umask(0o022)
    try:
        back_up_folder(settings.path, tmp_path / "backups" / "one")
        _restore(settings, tmp_path / "backups" / "one")
    finally:
        os.umask(before)
    found = [tmp_path / "backups", *(tmp_path / "backups").rglob("*"), settings.path, *settings.path.rglob("*")]
    assert not [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_a_damaged_backup_is_refused(settings: IndexSettings, tmp_path: Path) -> None:
    """One flipped bit, a missing file or a missing list is found before the index is replaced."""
    before, backup = _seen(settings), tmp_path / "backup"
    back_up_folder(settings.path, backup)
    file = max(backup.rglob("*.dat"), key=lambda path: path.stat().st_size)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"is damaged: 1 file\(s\) differ .*the index is unchanged"):
        _restore(settings, backup)
    file.unlink()
    with pytest.raises(ConfigError, match="is damaged: 1 file"):
        _restore(settings, backup)
    listed = (backup / "backup.json").read_bytes()
    for damaged in (listed.replace(b".dat", b".d\xe1t", 1), listed.replace(b'"taken_ms": 1', b'"taken_ms": 91111')):
        (backup / "backup.json").write_bytes(damaged)
        with pytest.raises(ConfigError, match=r"backup\.json is damaged"):
            _restore(settings, backup)
    (backup / "backup.json").unlink()
    with pytest.raises(ConfigError, match=r"no complete backup: it has no backup\.json"):
        _restore(settings, backup)
    assert _seen(settings) == before
    assert not (settings.path / "restore").exists()


def test_a_backup_of_another_layout_is_refused(settings: IndexSettings, tmp_path: Path) -> None:
    """The error says that the version that made it can restore it."""
    back_up_folder(settings.path, tmp_path / "backup")
    meta = tmp_path / "backup" / "index.json"
    meta.write_text(meta.read_text().replace('"layout":3', '"layout":2'))
    with pytest.raises(ConfigError, match="another version's index; restore it with the one that made it"):
        _restore(settings, tmp_path / "backup")


def test_a_backup_is_written_to_a_new_folder(settings: IndexSettings, tmp_path: Path) -> None:
    """Nothing is overwritten, and a backup isn't written into the index."""
    back_up_folder(settings.path, tmp_path / "backup")
    list_before = read_backup(tmp_path / "backup")
    with pytest.raises(ConfigError, match="exists already"):
        back_up_folder(settings.path, tmp_path / "backup")
    with pytest.raises(ConfigError, match="inside the index's own folder"):
        back_up_folder(settings.path, settings.path / "backup")
    assert read_backup(tmp_path / "backup") == list_before


def test_an_index_in_use_is_neither_copied_nor_replaced(settings: IndexSettings, tmp_path: Path) -> None:
    """The process that holds the lock makes the backup itself; a restore waits for its end."""
    back_up_folder(settings.path, tmp_path / "backup")
    index = opened(settings)
    with pytest.raises(InUseError):
        back_up_folder(settings.path, tmp_path / "second")
    with pytest.raises(InUseError):
        _restore(settings, tmp_path / "backup")
    index.close()


def test_a_missing_index_is_said(tmp_path: Path) -> None:
    """A missing index is an error, and nothing is created in its place."""
    with pytest.raises(NoIndexError, match="nothing to back up"):
        back_up_folder(tmp_path / "nowhere", tmp_path / "backup")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_no_half_backup(
    settings: IndexSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is one line, the incomplete copy is removed, and the index is not replaced without room for both."""
    back_up_folder(settings.path, tmp_path / "backup")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _no_space)
        with pytest.raises(UnavailableError, match="no space left on device; free some space"):
            back_up_folder(settings.path, tmp_path / "second")
    assert not (tmp_path / "second").exists()
    disk = ReportedDisk(monkeypatch)
    disk.free_mib = 1.1
    with pytest.raises(UnavailableError, match="no room for the backup in addition to the present index"):
        _restore(settings, tmp_path / "backup")


def _no_space(_handle: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_full_disk_of_the_index_is_an_outage_of_the_backup(
    settings: IndexSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker can't flush before the copy, says so, and goes on."""
    index = opened(settings)
    assert isinstance(index, EmbeddedIndex)
    disk = ReportedDisk(monkeypatch)
    disk.free_mib = 0.5
    with pytest.raises(TransientError, match="the disk is full"):
        index.back_up(tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
    disk.free_mib = 100
    index.write([ticket("after", 1, 1)])
    index.close()
