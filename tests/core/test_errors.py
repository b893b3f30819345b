"""The exit codes of the errors."""

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
    """The exit code distinguishes the user's mistakes (2), something unavailable (3) and faults (1)."""
    fault = error("why")
    assert (fault.exit_code, str(fault)) == (code, "why")


def test_an_outage_may_have_a_retry_delay() -> None:
    """A TransientError has the delay in seconds that the server asked for, or None."""
    assert TransientError("busy", retry_after_s=1.5).retry_after_s == 1.5
    assert TransientError("busy").retry_after_s is None
