"""Integers that aren't milliseconds since 1970: seconds, and dates written as one number."""

from datetime import datetime
from typing import Final

#: As seconds 1973 to 5138. As milliseconds they would lie between 2 January 1970 and 3 March 1973.
SECONDS_FROM: Final = 10**8
SECONDS_TO: Final = 10**11
#: As milliseconds 2001 to 2286.
_PLAIN_FROM: Final = 10**12
_PLAIN_TO: Final = 10**13

#: 2100-01-01. A record with a later timestamp has a wrong clock, or a producer that wants to outrank others.
IMPLAUSIBLE_MS: Final = 4_102_444_800_000
#: By the number of digits.
_DATES: Final = {8: ("%Y%m%d", "YYYYMMDD"), 12: ("%Y%m%d%H%M", "YYYYMMDDhhmm"), 14: ("%Y%m%d%H%M%S", "YYYYMMDDhhmmss")}
_YEARS: Final = (1970, 2100)


def compact_date(number: int) -> datetime | None:
    """The time that YYYYMMDD, YYYYMMDDhhmm or YYYYMMDDhhmmss writes, from 1970 to 2099, without a zone."""
    text = str(number)
    if len(text) not in _DATES or not _YEARS[0] <= int(text[:4]) < _YEARS[1]:
        return None
    try:
        return datetime.strptime(text, _DATES[len(text)][0])  # noqa: DTZ007 - the number holds no zone
    except ValueError:
        return None


def mistaken_for_ms(number: int) -> str | None:
    """The likely meaning of a number that isn't milliseconds since 1970: `seconds`, or the form of a date."""
    if _PLAIN_FROM <= number < _PLAIN_TO:
        return None
    if SECONDS_FROM <= number < SECONDS_TO:
        return "seconds"
    return None if compact_date(number) is None else _DATES[len(str(number))][1]
