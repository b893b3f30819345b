"""The common part of the stores in SQLite files."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from connectors.sqlite import make_private_file, require_own, transaction
from core.errors import ConfigError, TransientError

_OURS = 0x544B5453


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a new file."""
    with closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None)) as found:
        yield found


def test_a_transaction_is_undone_if_its_block_raises(connection: sqlite3.Connection) -> None:
    """A transaction leaves all of its changes or none, and the next one can begin."""
    connection.execute("CREATE TABLE numbers (number INTEGER)")

    def write_half() -> None:
        with transaction(connection):
            connection.execute("INSERT INTO numbers VALUES (1)")
            raise TransientError("the rest")

    with pytest.raises(TransientError):
        write_half()
    with transaction(connection):
        connection.execute("INSERT INTO numbers VALUES (2)")
    assert connection.execute("SELECT number FROM numbers").fetchall() == [(2,)]


def test_a_file_of_another_program_is_refused(connection: sqlite3.Connection, tmp_path: Path) -> None:
    """A new file and one of ours are accepted."""
    require_own(connection, _OURS, tmp_path, "SETTING")
    connection.execute(f"PRAGMA application_id = {_OURS}")
    connection.execute("CREATE TABLE numbers (number INTEGER)")
    require_own(connection, _OURS, tmp_path, "SETTING")
    with pytest.raises(ConfigError, match=r"^SETTING: .* is a file of another program; choose another path$"):
        require_own(connection, _OURS + 1, tmp_path, "SETTING")


def test_a_restored_file_is_closed_to_other_users(connection: sqlite3.Connection, tmp_path: Path) -> None:
    """A restored copy loses the permissions of others; the file of another program keeps them."""
    file, log = tmp_path / "new.db", tmp_path / "new.db-wal"
    connection.execute("CREATE TABLE numbers (number INTEGER)")
    for one in (file, log):
        one.touch()
        one.chmod(0o644)
    with pytest.raises(ConfigError):
        require_own(connection, _OURS, file, "SETTING")
    assert file.stat().st_mode & 0o777 == 0o644
    connection.execute(f"PRAGMA application_id = {_OURS}")
    require_own(connection, _OURS, file, "SETTING")
    assert {one.stat().st_mode & 0o777 for one in (file, log)} == {0o600}


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """The line names the setting; a file that can be written is created for this user alone."""
    with pytest.raises(ConfigError, match=r"^SETTING: can't write .* \(is a directory\); choose another path$"):
        make_private_file(tmp_path, "SETTING")
    make_private_file(tmp_path / "new" / "file", "SETTING")
    assert (tmp_path / "new" / "file").stat().st_mode & 0o077 == 0
