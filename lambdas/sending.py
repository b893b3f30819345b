"""Bounds of a function that sends to Kafka."""

from typing import Final

from core.errors import ConfigError
from lambdas.function import Call

#: A send that gets no acknowledgement ends after 30 s (delivery.timeout.ms).
NEEDED_S: Final = 35.0


def require_time(call: Call) -> None:
    """Return if there is time for a send.

    Raises:
        ConfigError: the function's timeout is too short.
    """
    if call.left_s() < NEEDED_S:
        raise ConfigError(f"a send needs {NEEDED_S:.0f} s; set the function's timeout to 60 s")
