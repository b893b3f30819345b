"""Settings of the raw archive."""

from pydantic import Field

from core.setting_types import FilePath, Group, Positive, Seconds, Url


class ArchiveSettings(Group):
    """The raw archive: every event of tickets.raw in compressed files."""

    place: Url | None = Field(None, description="Folder, or s3://bucket/prefix, of the archive.")
    file_mib: Positive = Field(64, description="Size at which a file is stored, compressed, in MiB.")
    file_age_s: Seconds = Field(
        300.0,
        description="Age of its first event at which a smaller file is stored: how much the archive may lack, in time.",
    )
    spool_dir: FilePath | None = Field(
        None, description="Folder of the files that are being written; by default the system's temporary folder."
    )
