"""Whole numbers taken for milliseconds."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.epoch import mistaken_for_ms


@pytest.mark.parametrize(
    ("number", "form"),
    [
        (0, None),
        (5_000, None),
        (99_999_999, None),
        (100_000_000, "seconds"),
        (1_704_442_353, "seconds"),
        (99_999_999_999, "seconds"),
        (100_000_000_000, None),
        (1_704_442_353_000, None),
        (253_402_300_799_999, None),
        (20240105, "YYYYMMDD"),
        (20241305, None),
        (18991231, None),
        (202401050812, "YYYYMMDDhhmm"),
        (202401052512, None),
        (20240105081233, "YYYYMMDDhhmmss"),
        (20240105081299, None),
    ],
)
def test_a_number_is_known_for_its_form(number: int, form: str | None) -> None:
    """Small numbers are times near 1970; a date has to exist."""
    assert mistaken_for_ms(number) == form


@given(st.datetimes(datetime(1973, 3, 4), datetime(2400, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis's
def test_a_time_in_milliseconds_is_mistaken_only_where_it_spells_a_date(moment: datetime) -> None:
    """Of the times from March 1973 on, those that spell YYYYMMDDhhmm lie within 1976."""
    form = mistaken_for_ms(int(moment.timestamp() * 1000))
    assert form is None or (form == "YYYYMMDDhhmm" and moment.year == 1976)
