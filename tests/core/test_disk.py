"""A full disk is distinguished from other OSErrors and reported in one line."""

import errno
import os
from pathlib import Path

import pytest

from core.disk import full_disk_error
from core.errors import EXIT_UNAVAILABLE


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_names_the_file_and_what_to_do(code: int) -> None:
    """The line names the error's file, or else the given path, and the exit code is 3."""
    error = full_disk_error(OSError(code, os.strerror(code), "/data/file"), Path("/data"))
    assert error is not None
    assert str(error).startswith("can't write /data/file: ")
    assert str(error).endswith("; free some space and try again")
    assert error.exit_code == EXIT_UNAVAILABLE
    assert "can't write /data: " in str(full_disk_error(OSError(code, os.strerror(code)), Path("/data")))
    assert "can't write: " in str(full_disk_error(OSError(code, os.strerror(code))))


def test_other_errors_are_not_a_full_disk() -> None:
    """A permission error is not reported as a full disk."""
    assert full_disk_error(OSError(errno.EACCES, "Permission denied")) is None
