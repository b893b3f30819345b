"""What can go wrong, by who has to act.

Data errors never raise: a record that can't be used becomes `core.records.Rejected`. What raises is the world:
a setting (the user acts), an outage (we wait and retry) or a fault nobody can wait out (the process stops).
"""

from typing import Final

EXIT_OK: Final = 0
EXIT_FAULT: Final = 1
EXIT_USAGE: Final = 2
EXIT_UNAVAILABLE: Final = 3


class TicketstreamError(Exception):
    """Ends in one line for the user; `exit_code` is what the process returns."""

    exit_code: int = EXIT_FAULT


class ConfigError(TicketstreamError):
    """A setting, argument or file of the user's is wrong; the message names it and says what to do."""

    exit_code = EXIT_USAGE


class UnavailableError(TicketstreamError):
    """Something the start needs can't be had: broker, topic, index, weights. The message says what to do."""

    exit_code = EXIT_UNAVAILABLE


class FatalError(TicketstreamError):
    """No retry can mend this: a bug, or a world that no longer fits. The process stops, uncommitted."""


class RefusedError(FatalError):
    """A sink refuses this data, and always will. A part of it may be taken; its message quotes no ticket."""


class TransientError(TicketstreamError):
    """An outage: the same call may succeed later.

    Attributes:
        retry_after_s: what the other side asked us to wait, in seconds, or None.
        overload: it was too much for the other side, or too slow: fewer calls at once may pass.
    """

    exit_code = EXIT_UNAVAILABLE

    def __init__(self, message: str, *, retry_after_s: float | None = None, overload: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.overload = overload
