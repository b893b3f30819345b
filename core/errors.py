"""The errors, by who has to act.

A record that can't be used raises nothing: it becomes a `core.records.Rejected`. Exceptions are for the rest: a wrong
setting (the user acts), an outage (the call is retried), or a fault that no retry fixes (the process stops).
"""

from collections.abc import Collection
from typing import Final

EXIT_OK: Final = 0
EXIT_FAULT: Final = 1
EXIT_USAGE: Final = 2
EXIT_UNAVAILABLE: Final = 3


class TicketstreamError(Exception):
    """Base class. The command line prints the message as one line and exits with `exit_code`."""

    exit_code: int = EXIT_FAULT


class ConfigError(TicketstreamError):
    """A setting, argument or file of the user is wrong. The message names it and says what to do."""

    exit_code = EXIT_USAGE


class NoTicketError(ConfigError):
    """The tenant has no ticket with this id."""


class UnavailableError(TicketstreamError):
    """Something required at the start is unavailable: broker, topic, index or weights. The message says what to do."""

    exit_code = EXIT_UNAVAILABLE


class FatalError(TicketstreamError):
    """No retry fixes this: a bug, or a collection that no longer matches the settings.

    The process stops without committing.
    """


class RefusedError(FatalError):
    """A sink permanently refuses some of this data; the rest may be accepted. The message quotes no ticket."""


class RefusedTextsError(RefusedError):
    """The embedding model permanently refuses some texts. The message quotes none.

    Attributes:
        texts: those that it refuses; it accepts the others.
    """

    def __init__(self, message: str, texts: Collection[str]) -> None:
        super().__init__(message)
        self.texts = frozenset(texts)


class TransientError(TicketstreamError):
    """An outage: the same call may succeed later.

    Attributes:
        retry_after_s: seconds that the server asked to wait, or None.
        overload: the server was overloaded or too slow, so fewer concurrent calls may succeed.
    """

    exit_code = EXIT_UNAVAILABLE

    def __init__(self, message: str, *, retry_after_s: float | None = None, overload: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.overload = overload


class OtherModelError(TransientError):
    """The index now holds vectors of another model. Its reader has to reopen the index and the model."""
