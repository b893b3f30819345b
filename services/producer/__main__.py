"""`python -m services.producer` follows files until SIGTERM or SIGINT."""

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from core.environment import load_settings
from core.errors import EXIT_OK, FatalError, TicketstreamError, UnavailableError
from core.settings import Settings
from runtime.logs import set_up_logging
from runtime.signals import stop_on_signal
from services.producer.compose import open_service

logger: Final = logging.getLogger("ticketstream.producer")

_LOOK_S: Final = 0.5
#: How long the batch in flight may take after SIGTERM. In an outage of the broker it takes longer: then the thread ends
#: with the process, and the next task sends the batch again.
_DRAIN_S: Final = 20.0


def serve(settings: Settings, stop: threading.Event, *, opened: Callable[[int], None]) -> None:
    """Follow files until `stop` is set, then finish the batch in flight.

    Args:
        settings: all groups.
        stop: ends the service.
        opened: called with the port of the probes when they are answered.

    Raises:
        ConfigError: a setting is wrong.
        UnavailableError: the checkpoints can't be opened.
        FatalError: a bug ended the producer's thread.
    """
    with ExitStack() as stack:
        try:
            service = open_service(settings, stack, stop)
        except UnavailableError:
            if stop.is_set():
                return
            raise
        opened(service.port)
        thread = threading.Thread(target=service.run, name="producer", daemon=True)
        thread.start()
        while thread.is_alive() and not stop.wait(_LOOK_S):
            pass
        if not stop.is_set():
            raise FatalError("the producer ended; see the lines before this one")
        thread.join(_DRAIN_S)
        if thread.is_alive():
            logger.warning("a batch was not acknowledged in time; another task will send it again")


def main() -> int:
    """Serve with the settings of the environment, and return the exit code. An error is one line."""
    stop = stop_on_signal()
    try:
        settings = load_settings()
        set_up_logging(settings.log)
        serve(settings, stop, opened=lambda port: logger.info("health and metrics are served", extra={"port": port}))
    except TicketstreamError as error:
        sys.stderr.write(f"ticketstream: {error}\n")
        return error.exit_code
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
