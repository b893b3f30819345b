"""Errors say who has to act, by their exit code."""

import pytest

from core.errors import ConfigError, FatalError, RefusedError, TicketstreamError, TransientError, UnavailableError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TicketstreamError, 1),
        (FatalError, 1),
        (RefusedError, 1),
        (TransientError, 3),
        (ConfigError, 2),
        (UnavailableError, 3),
    ],
)
def test_the_exit_code_is_the_classs(error: type[TicketstreamError], code: int) -> None:
    """Scripts and orchestrators tell the user's mistakes (2) from what is not there (3) and from faults (1)."""
    fault = error("why")
    assert (fault.exit_code, str(fault)) == (code, "why")


def test_an_outage_may_say_when_to_come_back() -> None:
    """In seconds; None when the other side didn't say."""
    assert TransientError("busy", retry_after_s=1.5).retry_after_s == 1.5
    assert TransientError("busy").retry_after_s is None
