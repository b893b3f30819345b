"""What a repair or a rebuild checks before it changes an index: that the log and the settings can be trusted."""

from collections.abc import Mapping
from typing import Final

from core.errors import ConfigError

#: Single bad tickets or records are at most a few, or this share of all.
_SHARE: Final = 0.1
_FEW: Final = 20


def is_implausible(count: int, total: int) -> bool:
    """Whether so many of `total` point to a wrong setting or log rather than to single bad ones. Half of them do."""
    return 2 * count >= total > 1 or (count > _FEW and count > _SHARE * total)


def unlike_setting(noted: Mapping[str, str], here: Mapping[str, str]) -> str | None:
    """The first setting that differs from the one that the workers wrote the index with, and what to do; or None."""
    for name, value in sorted(noted.items()):
        if name in here and here[name] != value:
            return f"{name} is {_shown(here[name])} here, and the workers wrote the index with {_shown(value)}"
    return None


def _shown(value: str) -> str:
    return value or "not set"


def require_complete(
    topic: str, *, unusable: int, records: int, expired: int, accepted_unusable: int, accepted_expired: int
) -> None:
    """Refuse to build an index from a log that lacks much, unless just that was accepted.

    Args:
        topic: the log.
        unusable: records that can't be used.
        records: all that it holds.
        expired: records that it no longer holds.
        accepted_unusable: the number that was accepted.
        accepted_expired: likewise.

    Raises:
        ConfigError: it lacks more, or less, than was accepted.
    """
    if expired and expired != accepted_expired:
        raise ConfigError(
            f"the first {expired:,} records of {topic} have expired, so an index of the rest would lack their tickets; "
            f"if it is to replace the one in use all the same, repeat with --accept-expired {expired}"
        )
    if is_implausible(unusable, records) and unusable != accepted_unusable:
        raise ConfigError(
            f"{unusable:,} of {records:,} records of {topic} can't be used, so the settings or the topic may be wrong; "
            f"if the index is to go without them, repeat with --accept-unusable {unusable}"
        )


def refusal_to_delete(*, surplus: int, indexed: int, unusable: int, records: int, expired: int) -> str | None:
    """Why tickets that are not in the log must not be deleted without a look at them; None if they may be.

    Args:
        surplus: their number.
        indexed: tickets in the index that are not deleted.
        unusable: records of the log that can't be used.
        records: all of them.
        expired: records that the log no longer holds.
    """
    if expired:
        why = f"the first {expired:,} records of the log have expired, and may have been theirs"
    elif is_implausible(unusable, records):
        why = f"{unusable:,} of {records:,} records in the log can't be used, so the settings or the topic may be wrong"
    elif is_implausible(surplus, indexed):
        why = f"{surplus:,} of {indexed:,} tickets in the index are not in the log, so it may be another log"
    else:
        return None
    return f"{why}; if they must go all the same, repeat with --delete-surplus {surplus}"
