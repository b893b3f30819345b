"""A full disk is distinguished from other OSErrors and reported in one line."""

import errno
import os
from pathlib import Path

import pytest

from core.disk import file_error, full_disk_error
from core.errors import EXIT_UNAVAILABLE, EXIT_USAGE


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


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG])
def test_a_path_that_can_not_be_used_is_named(code: int) -> None:
    """The user has named a place that is another's, or a file where a folder is needed."""
    error = file_error(OSError(code, os.strerror(code), "/etc/hostname/data"))
    assert error is not None
    assert str(error).startswith("can't use /etc/hostname/data: ")
    assert error.exit_code == EXIT_USAGE
    assert file_error(OSError(code, os.strerror(code))) is None, "an error of no file is a bug"


def test_other_errors_are_not_a_full_disk() -> None:
    """A permission error is not reported as a full disk."""
    assert full_disk_error(OSError(errno.EACCES, "Permission denied")) is None
