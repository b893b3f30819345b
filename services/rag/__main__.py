"""`python -m services.rag` serves search and answers until SIGTERM or SIGINT."""

import logging
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from core.environment import load_settings
from core.errors import EXIT_OK, FatalError, TicketstreamError
from core.settings import Settings
from runtime.logs import set_up_logging
from services.http.callers import Authenticator
from services.http.server import open_asgi_server
from services.rag.compose import open_app

logger: Final = logging.getLogger("ticketstream.rag")

_LOOK_S: Final = 1.0


def main() -> int:
    """Serve as the environment says. Returns the exit code; an error is one line."""
    try:
        settings = load_settings()
        set_up_logging(settings.log)
        serve(settings, _stop_on_signal(), opened=_say_port)
    except TicketstreamError as error:
        sys.stderr.write(f"ticketstream: {error}\n")
        return error.exit_code
    return EXIT_OK


def serve(
    settings: Settings,
    stop: threading.Event,
    *,
    opened: Callable[[int], None],
    authenticator: Authenticator | None = None,
) -> None:
    """Serve until `stop` is set; then answer what has begun.

    Args:
        settings: all groups.
        stop: ends the service.
        opened: called with the port when requests are answered.
        authenticator: tells callers; by default by the tokens of the issuer in the settings.

    Raises:
        ConfigError: a setting is wrong.
        FatalError: the HTTP server did not start, or ended.
    """
    with ExitStack() as stack:
        app = open_app(settings, stack, authenticator=authenticator)
        server = open_asgi_server(
            app, stack, host=settings.rag.host, port=settings.rag.port, setting="TICKETS_RAG__PORT"
        )
        opened(server.port)
        while server.alive and not stop.wait(_LOOK_S):
            pass
        if not stop.is_set():
            raise FatalError("the HTTP server ended; see the lines before this one")


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _say_port(port: int) -> None:
    logger.info("search and answers are served", extra={"port": port})


if __name__ == "__main__":
    sys.exit(main())
