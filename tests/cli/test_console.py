"""Functions that commands share: error reports, JSON output, and parsing times."""

import errno
import json
import os
from pathlib import Path

import pytest
import typer

from cli.console import parse_time, print_json, report_errors
from core.errors import ConfigError, TransientError


def test_an_error_is_one_line_and_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """A line break in the message is escaped."""

    @report_errors
    def command() -> None:
        raise TransientError("the index is out:\nconnection refused")

    with pytest.raises(typer.Exit) as ended:
        command()
    assert ended.value.exit_code == 3
    assert capsys.readouterr().err == "ticketstream: the index is out:␤connection refused\n"


def test_a_full_disk_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A full disk is reported in one line."""

    @report_errors
    def command(code: int) -> None:
        raise OSError(code, os.strerror(code), "/data/file")

    with pytest.raises(typer.Exit) as ended:
        command(errno.ENOSPC)
    assert ended.value.exit_code == 3
    assert capsys.readouterr().err == (
        "ticketstream: can't write /data/file: no space left on device; free some space and try again\n"
    )


def test_a_file_that_may_not_be_used_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A file with wrong permissions is the user's mistake; other OSErrors are bugs and keep their traceback."""

    @report_errors
    def command(code: int) -> None:
        raise OSError(code, os.strerror(code), "/data/file")

    for code in (errno.EACCES, errno.EPERM, errno.EROFS):
        with pytest.raises(typer.Exit) as ended:
            command(code)
        assert ended.value.exit_code == 2
        line = f"ticketstream: can't use /data/file: {os.strerror(code).lower()}; give this user access to it, or "
        assert capsys.readouterr().err == f"{line}name another place in the settings\n"
    with pytest.raises(OSError, match="Input/output error"):
        command(errno.EIO)


def test_an_interrupted_command_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C exits with 130, as in a shell."""

    @report_errors
    def command() -> None:
        raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as ended:
        command()
    assert (ended.value.exit_code, capsys.readouterr().err) == (130, "")


def test_a_paragraph_of_help_is_one_line() -> None:
    """Typer wraps it at the width of the terminal. Examples keep their lines."""

    @report_errors
    def command() -> None:
        """Do one thing.

        A paragraph that goes
        over two lines.

        [dim]ticketstream do
        ticketstream do --more[/]
        """

    assert command.__doc__ == (
        "Do one thing.\n\nA paragraph that goes over two lines.\n\n[dim]ticketstream do\nticketstream do --more[/]"
    )


@pytest.mark.parametrize(
    ("typed", "milliseconds"),
    [
        (None, None),
        ("1970-01-02", 86_400_000),
        ("1970-01-01T00:00:01", 1_000),
        ("1970-01-01T01:00:01+01:00", 1_000),
    ],
)
def test_a_time_without_an_offset_is_utc(typed: str | None, milliseconds: int | None) -> None:
    """A time without an offset is UTC, and a missing time is None."""
    assert parse_time(typed, "--since") == milliseconds


def test_a_malformed_time_names_the_option_and_shows_the_format() -> None:
    """The value is quoted."""
    with pytest.raises(ConfigError, match="--since: 'soon' is not a date or time; write 2026-01-31 or"):
        parse_time("soon", "--since")


def test_json_writes_paths_as_strings(capsys: pytest.CaptureFixture[str]) -> None:
    """The document is one line."""
    print_json({"folder": Path("/models"), "ready": True})
    assert json.loads(capsys.readouterr().out) == {"folder": "/models", "ready": True}
