"""Opens the archive at the place that the settings name."""

import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from archive.store import ArchiveStore
from connectors.archive_store.bucket import open_bucket
from connectors.archive_store.folder import FolderArchive
from core.addresses import Address
from core.archive_settings import ArchiveSettings
from core.disk import full_disk_error
from core.errors import ConfigError
from core.setting_types import expand_home

_SCHEME: Final = "s3"


def open_archive(settings: ArchiveSettings) -> ArchiveStore:
    """The archive in a folder or a bucket. Deletes what killed processes have left in the folder.

    Raises:
        ConfigError: the settings name neither a folder nor a bucket, or temporary files can't be written.
        UnavailableError: the place can't be used.
    """
    place = settings.place
    if place is None:
        raise ConfigError("TICKETS_ARCHIVE__PLACE is not set; set it to a folder or to s3://bucket/prefix")
    _require_spool(settings.spool_dir)
    wrong = ConfigError(f"TICKETS_ARCHIVE__PLACE is {Address(place)!r}, neither a folder nor s3://bucket/prefix")
    try:
        parts = urlsplit(place)
    except ValueError:  # its message may quote a password
        raise wrong from None
    if not parts.scheme:
        folder = FolderArchive(expand_home(place))
        folder.clear()
        return folder
    if parts.scheme != _SCHEME or not parts.netloc or "@" in parts.netloc:
        raise wrong
    return open_bucket(parts.netloc, parts.path.strip("/"))


def _require_spool(folder: Path | None) -> None:
    """Check that temporary files can be written; otherwise the archiver would fail at its first event.

    Raises:
        ConfigError: they can't be.
        UnavailableError: the disk is full.
    """
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        where = "the temporary folder" if folder is None else folder
        raise full_disk_error(error, folder) or ConfigError(
            f"TICKETS_ARCHIVE__SPOOL_DIR: can't write temporary files in {where} ({(error.strerror or '').lower()}); "
            "set it to a writable folder"
        ) from None
