"""Integers in another form are not mistaken for milliseconds."""

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
def test_the_form_of_a_number_is_recognised(number: int, form: str | None) -> None:
    """Seconds are recognised by their size, and a date only if it exists; small numbers are milliseconds."""
    assert mistaken_for_ms(number) == form


@given(st.datetimes(datetime(1973, 3, 4), datetime(2400, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis's
def test_a_time_in_milliseconds_is_mistaken_only_if_it_spells_a_date(moment: datetime) -> None:
    """From March 1973 on, a time in milliseconds is mistaken for YYYYMMDDhhmm only within 1976."""
    form = mistaken_for_ms(int(moment.timestamp() * 1000))
    assert form is None or (form == "YYYYMMDDhhmm" and moment.year == 1976)
