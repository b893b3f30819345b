"""Settings of the raw archive."""

from pydantic import Field

from core.setting_types import FilePath, Group, Positive, Seconds, Url


class ArchiveSettings(Group):
    """The raw archive: every event of tickets.raw in compressed files."""

    place: Url | None = Field(None, description="Folder, or s3://bucket/prefix, of the archive.")
    file_mib: Positive = Field(64, description="Size at which a file is stored, compressed, in MiB.")
    file_age_s: Seconds = Field(
        300.0,
        description="Age of a file's first event at which it is stored even if it is smaller. The archive may lack the "
        "events of this time.",
    )
    spool_dir: FilePath | None = Field(
        None, description="Folder of the files that are being written; by default the system's temporary folder."
    )
