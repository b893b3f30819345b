"""Opens the archive at the place that the settings name."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from archive.store import ArchiveStore
from connectors.archive_store.bucket import open_bucket
from connectors.archive_store.folder import FolderArchive
from core.addresses import Address
from core.archive_settings import ArchiveSettings
from core.errors import ConfigError

_SCHEME: Final = "s3"


def open_archive(settings: ArchiveSettings) -> ArchiveStore:
    """The archive in a folder or a bucket. Deletes what killed processes have left in the folder.

    Raises:
        ConfigError: the settings name no place, or one that is neither, or a folder of temporary files that is missing.
        UnavailableError: the place can't be used.
    """
    place = settings.place
    if place is None:
        raise ConfigError("TICKETS_ARCHIVE__PLACE is not set; set it to a folder or to s3://bucket/prefix")
    if settings.spool_dir is not None and not settings.spool_dir.is_dir():
        raise ConfigError(f"TICKETS_ARCHIVE__SPOOL_DIR: there is no folder {settings.spool_dir}; create it")
    wrong = ConfigError(f"TICKETS_ARCHIVE__PLACE is {Address(place)!r}, neither a folder nor s3://bucket/prefix")
    try:
        parts = urlsplit(place)
    except ValueError:  # its message may quote a password
        raise wrong from None
    if not parts.scheme:
        folder = FolderArchive(Path(place).expanduser())
        folder.clear()
        return folder
    if parts.scheme != _SCHEME or not parts.netloc or "@" in parts.netloc:
        raise wrong
    return open_bucket(parts.netloc, parts.path.strip("/"))
