"""The checks of a repair or a rebuild before it changes an index: can the log and the settings be trusted?"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from core.epoch import SECONDS_TO
from core.errors import ConfigError

#: Maximum number and share of bad tickets or records that count as single ones.
_SHARE: Final = 0.1
_FEW: Final = 20


def is_implausible(count: int, total: int) -> bool:
    """Whether this number of `total` points to a wrong setting or log, and not to single bad ones; a half does."""
    return 2 * count >= total > 1 or (count > _FEW and count > _SHARE * total)


def unlike_setting(noted: Mapping[str, str], here: Mapping[str, str]) -> str | None:
    """The first setting that differs from the workers' in the index, in words; None if there is none."""
    for name, value in sorted(noted.items()):
        if name in here and here[name] != value:
            return f"{name} is {_shown(here[name])} here, and the workers wrote the index with {_shown(value)}"
    return None


def _shown(value: str) -> str:
    return value or "not set"


def require_like_versions(versions: Iterable[tuple[int | None, int | None]]) -> None:
    """Refuse to write times as versions over counts, which would outrank every later event of a ticket.

    In a split stream no setting in the index tells what the versions are.

    Args:
        versions: of tickets that differ, in the log and in the index.

    Raises:
        ConfigError: of half of those that have both, the log's is a time and the index's is none.
    """
    both = [(log, index) for log, index in versions if log is not None and index is not None]
    times = sum(log >= SECONDS_TO > index for log, index in both)
    if times and 2 * times >= len(both):
        raise ConfigError(
            f"{times:,} ticket(s) have a time as their version in the log and a small number in the index: set "
            "TICKETS_CONTRACT__VERSION_SOURCE to the enrichment role's value, and run the command again"
        )


def require_same_kind(versions: Iterable[tuple[int, int]]) -> None:
    """Refuse to build the index of a split stream with another kind of version than its workers write.

    Args:
        versions: of tickets, in the log as this command reads it, and as the workers have written it.

    Raises:
        ConfigError: for at least half of the tickets, only one of the two is a time.
    """
    pairs = list(versions)
    unlike = sum((log >= SECONDS_TO) != (written >= SECONDS_TO) for log, written in pairs)
    if unlike and 2 * unlike >= len(pairs):
        raise ConfigError(
            f"{unlike:,} of {len(pairs):,} tickets have a time as their version here and a small number in the records "
            "of the workers, or the reverse: set TICKETS_CONTRACT__VERSION_SOURCE to the enrichment role's value, or "
            "repeat with --new-settings if it will be started with this one"
        )


class Losses(Struct, frozen=True):
    """Losses of an index that is built from a log: records that can't be used or have expired, and missing tickets.

    `lost` records can't be read any more.
    """

    unusable: int = 0
    expired: int = 0
    missing: int = 0
    lost: int = 0


def require_complete(topic: str, found: Losses, accepted: Losses, *, records: int, indexed: int) -> None:
    """Refuse to build an index from a log with many losses, unless exactly these are accepted.

    Args:
        topic: the log.
        found: `missing` is the number of tickets of the index in use less those of the log, at least 0.
        accepted: the numbers that the user has accepted.
        records: number of records in the log.
        indexed: number of tickets in the index in use.

    Raises:
        ConfigError: it lacks more or fewer than accepted.
    """
    unusable, expired, missing = found.unusable, found.expired, found.missing
    if expired and expired != accepted.expired:
        raise ConfigError(
            f"the first {expired:,} records of {topic} have expired, so an index of the rest would lack their "
            f"tickets; to replace the index in use anyway, repeat with --accept-expired {expired}"
        )
    if found.lost and unusable != accepted.unusable:
        raise ConfigError(
            f"{found.lost:,} record(s) of {topic} can't be read any more, so an index of the others would lack their "
            f"tickets; to build it anyway, repeat with --accept-unusable {unusable}"
        )
    if is_implausible(unusable, records) and unusable != accepted.unusable:
        raise ConfigError(
            f"{unusable:,} of {records:,} records of {topic} can't be used, so the settings or the topic may "
            f"be wrong; to build the index without them, repeat with --accept-unusable {unusable}"
        )
    explained = expired or is_implausible(unusable, records)
    if is_implausible(missing, indexed) and missing != accepted.missing and not explained:
        raise ConfigError(
            f"the index in use has {indexed:,} tickets, but {topic} has {indexed - missing:,}, so it may be the wrong "
            f"topic, or was created again; to replace the index anyway, repeat with --accept-missing {missing}"
        )


def doubt_about(*, expired: int, lost: int, compacted: bool) -> str | None:
    """The reason to believe that a log lacks records, in words; None if there is none.

    Args:
        expired: number of records before its start.
        lost: number of records that can't be read.
        compacted: whether the broker deletes earlier records of a key.
    """
    if expired:
        return f"the first {expired:,} records of the log have expired"
    if lost:
        return f"{lost:,} record(s) of the log can't be read"
    return "the log is compacted, so it lacks records" if compacted else None


def refusal_to_delete(*, surplus: int, indexed: int, unusable: int, records: int, doubt: str | None) -> str | None:
    """The reason against deleting tickets that are not in the log; None if there is none.

    Args:
        surplus: their number.
        indexed: tickets in the index that are not deleted.
        unusable: records of the log that can't be used.
        records: all of them.
        doubt: see `doubt_about`.
    """
    if doubt is not None:
        why = f"{doubt}, which may have been these tickets'"
    elif is_implausible(unusable, records):
        why = f"{unusable:,} of {records:,} records in the log can't be used, so the settings or the topic may be wrong"
    elif is_implausible(surplus, indexed):
        why = f"{surplus:,} of {indexed:,} tickets in the index are not in the log, so it may be another log"
    else:
        return None
    return f"{why}; to delete the {surplus} tickets anyway, repeat with --delete-surplus {surplus}"
