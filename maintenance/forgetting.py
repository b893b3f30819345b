"""The age at which the index may forget a deleted ticket, because no older event of it can arrive any more."""

from collections.abc import Mapping
from typing import Final

from connectors.kafka.admin import open_cluster
from connectors.kafka.topics import load_topics
from core.errors import ConfigError
from core.settings import Settings

DAY_MS: Final = 24 * 3600 * 1000
#: The broker's default of segment.ms. A segment is deleted when its last record is due, so a record may outlive its
#: retention by this.
_SEGMENT_MS: Final = 7 * DAY_MS


def require_forgettable(settings: Settings, days: int) -> None:
    """Check that dead letters expire within `days`, because replaying an older one would resurrect a deleted ticket.

    Re-reading the log is harmless, because the delete comes after the events that it deletes.

    Raises:
        ConfigError: they are kept for longer.
        UnavailableError: the broker doesn't answer.
    """
    topic = settings.topics.dlq
    declared = {spec.name: spec.config for spec in load_topics(None, names=settings.topics)}.get(topic, {})
    least = least_days({**declared, **open_cluster(settings.kafka).options(topic)})
    if least is None:
        raise ConfigError(
            f"--forget-deletes-after: {topic} keeps dead letters for ever, and replaying an old one would "
            f"resurrect a deleted ticket; set its retention.ms first"
        )
    if days < least:
        raise ConfigError(
            f"--forget-deletes-after: {topic} keeps dead letters for up to {least} days, and replaying an old "
            f"one would resurrect a deleted ticket; give {least} or more"
        )


def least_days(options: Mapping[str, str]) -> int | None:
    """Whole days after which a record of a topic with these options is gone; None if it may stay for ever."""
    retention_ms = int(options.get("retention.ms", -1))
    if retention_ms < 0 or "delete" not in options.get("cleanup.policy", "delete"):  # retention is of that policy
        return None
    return -(-(retention_ms + int(options.get("segment.ms", _SEGMENT_MS))) // DAY_MS)
