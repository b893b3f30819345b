"""The SQLite file: permissions, other programs' files, and faults of the disk."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from connectors.ticket_store import database
from connectors.ticket_store.database import Database, open_database
from connectors.ticket_store.sqlite import SqliteTickets, open_sqlite
from core.errors import ConfigError, FatalError, TransientError, UnavailableError
from tests.connectors.ticket_store.stores import upsert


def test_the_files_belong_to_this_user_alone(tmp_path: Path) -> None:
    """The folder and the database, with its log, are closed to other users."""
    path = tmp_path / "data" / "tickets.db"
    with ExitStack() as stack:
        open_sqlite(path, stack).tickets.apply(upsert())
        files = list(path.parent.iterdir())
        assert {file.name for file in files} >= {"tickets.db", "tickets.db-wal"}
        assert [file for file in (path.parent, *files) if file.stat().st_mode & 0o077] == []


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error names the setting, the path and the reason."""
    (tmp_path / "tickets.db").mkdir()
    with pytest.raises(ConfigError, match=r"TICKETS_API__PATH: can't write .*/tickets\.db \(is a directory\)"):
        open_database(tmp_path / "tickets.db")


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """Another program's database and a file of another format are refused and not changed."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    content = path.read_bytes()
    with pytest.raises(ConfigError, match=r"other\.db is a file of another program"):
        open_database(path)
    assert path.read_bytes() == content
    path.write_bytes(b"no database" * 100)
    with pytest.raises(UnavailableError, match=r"other\.db: the file is damaged .*; restore it from a backup"):
        open_database(path)
    assert path.read_bytes() == b"no database" * 100


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """A database with a newer schema is refused."""
    path = tmp_path / "tickets.db"
    open_database(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(ConfigError, match="was written by a newer version"):
        open_database(path)


def test_a_locked_file_is_an_outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write to a locked database fails in time with an outage, and succeeds later."""
    monkeypatch.setattr(database, "_BUSY_S", 0.05)
    path = tmp_path / "tickets.db"
    opened = open_database(path)
    tickets = SqliteTickets(opened)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientError, match="another process holds its lock"):
            tickets.apply(upsert())
        assert tickets.get("acme", "T-1") is None  # reads still work
    tickets.apply(upsert())
    opened.close()


def _limit(opened: Database, pages: int) -> None:
    with opened.writing() as connection:
        connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_is_an_outage_and_loses_nothing(tmp_path: Path) -> None:
    """On a full disk a change is rolled back, earlier ones stay, and it succeeds once there is room."""
    opened = open_database(tmp_path / "tickets.db")
    tickets = SqliteTickets(opened)
    tickets.apply(upsert())
    _limit(opened, 1)  # the file may not grow
    with pytest.raises(TransientError, match="the disk is full; free some space"):
        tickets.apply(upsert("T-2", body="x" * 100_000))
    assert tickets.get("acme", "T-2") is None
    assert tickets.get("acme", "T-1") == upsert().event
    _limit(opened, 10_000)
    tickets.apply(upsert("T-2", body="x" * 100_000))
    opened.close()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """A damaged database raises FatalError, because no retry helps."""
    path = tmp_path / "tickets.db"
    with ExitStack() as stack:
        tickets = open_sqlite(path, stack).tickets
        for number in range(50):
            tickets.apply(upsert(f"T-{number}", body="x" * 2_000))
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with ExitStack() as stack:
        damaged = open_sqlite(path, stack).tickets
        with pytest.raises(FatalError, match=r"tickets\.db: the file is damaged"):
            damaged.get("acme", "T-1")
