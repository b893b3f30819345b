"""Addresses hide their credentials wherever they are shown."""

import logging
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.addresses import Address, hide_credentials
from core.environment import load_settings, shown_value, variables
from core.errors import ConfigError

_WORDS = st.text(st.characters(codec="utf-8"), min_size=3)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://localhost:6334", "http://localhost:6334"),
        ("https://ada:s3cret@db.example:6334/x", "https://<hidden>@db.example:6334/x"),
        ("https://s3cret@db.example", "https://<hidden>@db.example"),
        ("https://ada:s3/c?r@e t@db.example", "https://<hidden>@db.example"),
        ("https://db.example?api-key=s3cret", "https://db.example?<hidden>"),
        ("ada:s3cret@b-1:9092,b-2:9092", "<hidden>@b-1:9092,b-2:9092"),
        ("b-1:9092,ada:s3,cret@b-2:9092", "<hidden>@b-2:9092"),
        ("~/models", "~/models"),
        ("", ""),
    ],
)
def test_credentials_are_hidden_and_the_rest_is_shown(address: str, shown: str) -> None:
    """str, repr, f-strings and log lines hide credentials, and the value itself keeps them for connecting."""
    given = Address(address)
    assert (str(given), f"{given}", "%s" % given, repr(given)) == (shown, shown, shown, repr(shown))  # noqa: UP031
    assert f"{given:>40}" == f"{shown:>40}"
    assert logging.LogRecord("x", 20, "x", 1, "at %s", (given,), None).getMessage() == f"at {shown}"
    assert given == address
    assert urlsplit(given).hostname == urlsplit(address).hostname


@given(user=_WORDS, password=_WORDS)
def test_no_password_is_shown(user: str, password: str) -> None:
    """A password is hidden whatever characters it has."""
    assert hide_credentials(f"http://{user}:{password}@h") == "http://<hidden>@h"


@pytest.mark.parametrize("variable", ["TICKETS_INDEX__URL", "TICKETS_KAFKA__BROKERS", "TICKETS_MODEL__STORE"])
def test_address_settings_hide_credentials(variable: str) -> None:
    """The settings are shown without the credentials of their addresses."""
    settings = load_settings({variable: "http://ada:s3cret@db.example:6334"})
    assert shown_value(settings, variable) == "http://<hidden>@db.example:6334"
    assert "s3cret" not in repr(settings)


def test_no_setting_shows_credentials_when_it_is_refused() -> None:
    """A value that is refused is shown without its credentials, whichever setting it was given to by mistake."""
    refusals = []
    for variable in variables():
        with suppress(ConfigError):
            load_settings({variable: "http://ada:s3cret@db.example:6334"})
            continue
        with pytest.raises(ConfigError) as refusal:
            load_settings({variable: "http://ada:s3cret@db.example:6334"})
        refusals.append(str(refusal.value))
    assert len(refusals) > 20
    assert "s3cret" not in "\n".join(refusals)
