"""Reads times as programs export them, as milliseconds since 1970."""

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from core.contract import milliseconds
from core.epoch import SECONDS_FROM, SECONDS_TO, compact_date
from core.errors import ConfigError

#: 2100-01-01. A later time in seconds or microseconds is a mistake.
_LAST_MS: Final = 4_102_444_800_000
#: 1990-01-01, the earliest time that is read from microseconds or nanoseconds.
_FIRST_MS: Final = 631_152_000_000
_MAX_DIGITS: Final = 20
#: Spreadsheets' numbers of days since 1900, for 1954 to 2064.
_SPREADSHEET_DAYS: Final = (20_000, 60_000)
_FLOAT_SECONDS: Final = re.compile(r"\d{9,10}\.\d{1,9}", re.ASCII)
_SPREADSHEET: Final = re.compile(r"[2-5]\d{4}[.,]\d+", re.ASCII)

_NAMES: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS: Final = {name: number for number, name in enumerate(_NAMES, start=1)}
_MONTH: Final = rf"(?P<month>{'|'.join(_NAMES)})[a-z]*\.?"
_CLOCK: Final = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s?(?P<half>[ap])\.?m\.?)?"
)
_ZONE: Final = r"(?P<zone>(?:utc|gmt|ut|z)?\s?[+-]\d{2}(?::?\d{2})?|utc|gmt|ut|z|[a-z]{3,5})(?:\s?\([^()]{1,60}\))?"
_TIME: Final = rf"(?:(?:,?\s+|t|:){_CLOCK}(?:\s?{_ZONE})?)?"
_WEEKDAY: Final = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){_TIME}",
        rf"(?P<one>\d{{1,2}})(?P<mark>[-/.])(?P<two>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d{{2}}){_TIME}",
        rf"{_WEEKDAY}(?P<day>\d{{1,2}})[-/. ]{_MONTH}[-/., ]\s?(?P<year>\d{{4}}|\d{{2}}){_TIME}",
        rf"{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}}){_TIME}",
        rf"{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}})\s+{_CLOCK}(?:\s{_ZONE})?\s+(?P<year>\d{{4}})",
    )
)
_WHAT_TO_WRITE: Final = "but must be a time, for example 2026-01-05T08:12:00Z"


class TimeReader(Struct, frozen=True):
    """Reads times.

    Attributes:
        day_first: whether 01/02/2024 is 1 February; None refuses it.
        zone: time zone of times without one.
    """

    day_first: bool | None = None
    zone: tzinfo = UTC

    def read(self, text: str) -> int:
        """Milliseconds since 1970 of a number or a written time.

        The size of a whole number decides whether it is in seconds, milliseconds, microseconds or nanoseconds, or is
        YYYYMMDD, YYYYMMDDhhmm or YYYYMMDDhhmmss. A written time is ISO 8601, RFC 2822, or day, month and year.

        Raises:
            ValueError: the text is not a time, or could be two; the message says what to do.
        """
        if text.isdecimal():
            return self._number(text)
        if _FLOAT_SECONDS.fullmatch(text):
            return int(float(text) * 1000)
        if _SPREADSHEET.fullmatch(text):
            raise ValueError(_SPREADSHEET_FAULT)
        try:
            return self._ms(datetime.fromisoformat(text))
        except ValueError:
            pass
        match = next(filter(None, (form.fullmatch(text) for form in _FORMS)), None)
        if match is None:
            raise ValueError(_WHAT_TO_WRITE)
        return self._written(match)

    def _number(self, text: str) -> int:
        if len(text) > _MAX_DIGITS:
            raise ValueError(_WHAT_TO_WRITE)
        number = int(text)
        if _SPREADSHEET_DAYS[0] <= number < _SPREADSHEET_DAYS[1]:
            raise ValueError(_SPREADSHEET_FAULT)
        if (date := compact_date(number)) is not None:
            return self._ms(date)
        if SECONDS_FROM <= number < SECONDS_TO:
            if number * 1000 >= _LAST_MS:
                raise ValueError(
                    "which is after 2100 in seconds and in 1973 or before in milliseconds, " + _WHAT_TO_WRITE
                )
            return number * 1000
        for per_ms in (1_000, 1_000_000):
            if _FIRST_MS <= number // per_ms < _LAST_MS:
                return number // per_ms
        return number

    def _written(self, match: re.Match[str]) -> int:
        found = match.groupdict()
        year = int(found["year"])
        if len(found["year"]) == 2:  # noqa: PLR2004 - two digits, read as POSIX does
            year += 1900 if year >= 69 else 2000  # noqa: PLR2004 - likewise
        month, day = self._month_and_day(found)
        hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
        if found["half"]:
            if not 1 <= hour <= 12:  # noqa: PLR2004 - a clock of twelve hours
                raise ValueError(_WHAT_TO_WRITE)
            hour = hour % 12 + 12 * (found["half"].lower() == "p")
        micro = int((found["fraction"] or "").ljust(6, "0")[:6])
        try:
            moment = datetime(year, month, day, hour, minute, second, micro)  # noqa: DTZ001 - the zone follows
        except ValueError:
            raise ValueError(f"which does not exist, {_WHAT_TO_WRITE}") from None
        return self._ms(moment.replace(tzinfo=_zone(found["zone"])))

    def _month_and_day(self, found: dict[str, str | None]) -> tuple[int, int]:
        if "one" not in found:
            month = found["month"] or ""
            return _MONTHS[month.lower()] if month.isalpha() else int(month), int(found["day"] or 0)
        one, two = int(found["one"] or 0), int(found["two"] or 0)
        day_first = True if found["mark"] == "." else self.day_first
        if day_first is None and one != two:
            if one <= 12 and two <= 12:  # noqa: PLR2004 - months
                raise ValueError(
                    f"which may be {one} {_name(two)} or {two} {_name(one)}; add --day-first or --month-first"
                )
            day_first = one > 12  # noqa: PLR2004 - months
        return (two, one) if day_first else (one, two)

    def _ms(self, moment: datetime) -> int:
        ms = milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=self.zone))
        if ms < 0:
            raise ValueError("which is before 1970")
        return ms


def zone_of(name: str, option: str) -> tzinfo:
    """The time zone of this name.

    Raises:
        ConfigError: this system knows no such zone; the message names `option`.
    """
    try:
        return UTC if name == "UTC" else ZoneInfo(name)  # a system may come without time zones
    except (KeyError, ValueError, OSError):  # an unknown name, a malformed one, and a folder of zones
        raise ConfigError(f"{option} {name}: no such time zone here; write a name such as Europe/Berlin") from None


_SPREADSHEET_FAULT: Final = "which looks like a spreadsheet's number of days; format the column as yyyy-mm-dd hh:mm:ss"


def _zone(name: str | None) -> tzinfo | None:
    """The zone of an offset or of UTC. Other abbreviations are ambiguous."""
    if not name:
        return None
    digits = re.sub(r"[^0-9]", "", name)
    if digits:
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
        if offset >= timedelta(days=1):
            raise ValueError(f"whose offset does not exist, {_WHAT_TO_WRITE}")
        return timezone(-offset if "-" in name else offset)
    if name.lower() in ("utc", "gmt", "ut", "z"):
        return UTC
    raise ValueError(f"but {name} is ambiguous; write the offset, for example +01:00")


def _name(month: int) -> str:
    return calendar.month_name[month]
