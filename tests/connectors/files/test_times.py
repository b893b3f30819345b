"""Times as programs write them."""

import re
from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from connectors.files.times import TimeReader

_MS: Final = 1_704_442_353_000  # 2024-01-05T08:12:33Z
_MINUTE: Final = 1_704_442_320_000
_DAY: Final = 1_704_412_800_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1704442353000", _MS),
        ("1704442353", _MS),
        ("1704442353.25", _MS + 250),
        ("1704442353000123", _MS),
        ("1704442353000123456", _MS),
        ("20240105", _DAY),
        ("20240105081233", _MS),
        ("202401050812", _MINUTE),
        ("0", 0),
        ("5000", 5_000),
        ("788918400000", 788_918_400_000),
        ("2024-01-05T08:12:33Z", _MS),
        ("2024-01-05T08:12:33.000+0000", _MS),  # Jira's REST API
        ("2024-01-05 08:12:33 UTC", _MS),  # Rails
        ("2024-01-05 08:12:33.250 UTC", _MS + 250),
        ("2024-01-05 09:12:33 +0100", _MS),  # git, Ruby
        ("2024-01-05 03:12:33-05", _MS),  # PostgreSQL
        ("2024-01-05 08:12:33.123456+00:00", _MS + 123),  # Python
        ("2024-01-05T09:12:33+01:00", _MS),
        ("20240105T081233Z", _MS),
        ("2024/01/05 8:12:33", _MS),
        ("2024/1/5 8:12", _MINUTE),  # Excel in China and Japan
        ("2024-01-05", _DAY),
        ("Fri, 05 Jan 2024 08:12:33 +0000", _MS),  # RFC 2822
        ("Fri, 5 Jan 2024 08:12:33 GMT", _MS),
        ("5 Jan 2024 09:12:33 +0100 (CET)", _MS),
        ("05/Jan/24 8:12 AM", _MINUTE),  # Jira's CSV
        ("05/Jan/24 8:12 PM", _MINUTE + 12 * 3_600_000),
        ("05/Jan/24 12:00 AM", _DAY),
        ("05-Jan-2024 08:12:33", _MS),  # Oracle
        ("05/Jan/2024:08:12:33 +0000", _MS),  # Apache
        ("Jan 5, 2024, 8:12:33 AM", _MS),
        ("January 5, 2024 8:12 a.m.", _MINUTE),
        ("Fri Jan  5 08:12:33 2024", _MS),  # C
        ("Fri Jan  5 08:12:33 UTC 2024", _MS),  # date
        ("Fri Jan 05 2024 09:12:33 GMT+0100 (Central European Standard Time)", _MS),  # JavaScript
        ("05.01.2024 08:12", _MINUTE),
        ("5.1.2024", _DAY),
        ("25/12/2023", 1_703_462_400_000),
        ("12/25/2023", 1_703_462_400_000),
        ("1/1/24 0:00", 1_704_067_200_000),
    ],
)
def test_a_time_is_read_as_it_was_meant(text: str, ms: int) -> None:
    """Numbers are interpreted by size, formats of common programs are read, and the default zone is UTC."""
    assert TimeReader().read(text) == ms


@pytest.mark.parametrize(("day_first", "ms"), [(True, 1_706_745_600_000), (False, 1_704_153_600_000)])
def test_the_order_of_day_and_month_can_be_given(day_first: bool, ms: int) -> None:
    """01/02/2024 is 1 February or 2 January."""
    assert TimeReader(day_first=day_first).read("01/02/2024") == ms


@pytest.mark.parametrize(("zone", "hours"), [(UTC, 0), (ZoneInfo("Europe/Berlin"), -1), (ZoneInfo("Asia/Tokyo"), -9)])
def test_a_time_without_a_zone_is_in_the_given_zone(zone: tzinfo, hours: int) -> None:
    """A zone in the text takes precedence."""
    reader = TimeReader(zone=zone)
    assert reader.read("2024-01-05 08:12:33") == reader.read("20240105081233") == _MS + hours * 3_600_000
    assert reader.read("2024-01-05 08:12:33 UTC") == reader.read("1704442353") == _MS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("yesterday", "but must be a time, for example 2026-01-05T08:12:00Z"),
        ("", "but must be a time"),
        ("9" * 5_000, "but must be a time"),
        ("²", "but must be a time"),
        ("1.7e9", "but must be a time"),
        ("01/02/2024", "which may be 1 February or 2 January; add --day-first or --month-first"),
        ("3-4-24 10:00", "which may be 3 April or 4 March"),
        ("2024-01-05 08:12:33 CET", "but CET is ambiguous; write the offset, for example +01:00"),
        ("2024-02-30 08:12:33 UTC", "which does not exist, but must be a time"),
        ("05/Jan/24 13:12 PM", "but must be a time"),
        ("31/31/2024", "which does not exist, but must be a time"),
        ("2024-01-05 08:12:33 +9900", "whose offset does not exist"),
        ("45296", "a spreadsheet's number of days; format the column as yyyy-mm-dd hh:mm:ss"),
        ("45296.342", "a spreadsheet's number of days"),
        ("45296,342", "a spreadsheet's number of days"),
        ("99999999999", "which is after 2100 in seconds and in 1973 or before in milliseconds"),
        ("1969-12-31", "which is before 1970"),
        ("-5", "but must be a time"),
    ],
)
def test_an_ambiguous_or_invalid_time_is_refused(text: str, words: str) -> None:
    """The message says what is wrong and what to do."""
    with pytest.raises(ValueError, match=re.escape(words)):
        TimeReader().read(text)


@pytest.mark.parametrize("text", ["1" * 100_000, "1/" * 50_000, "Jan " * 25_000, "2024-01-05 " * 9_000, " " * 100_000])
def test_a_long_cell_is_read_in_linear_time(text: str) -> None:
    """No time format backtracks."""
    with pytest.raises(ValueError, match="time"):
        TimeReader().read(text)
