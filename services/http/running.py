"""Runs a service until SIGTERM or SIGINT: `python -m services.NAME`."""

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, Protocol

from fastapi import FastAPI
from msgspec import Struct
from msgspec.structs import replace

from core.environment import load_settings
from core.errors import EXIT_OK, FatalError, TicketstreamError, UnavailableError
from core.settings import Settings
from runtime.logs import set_up_logging
from runtime.signals import stop_on_signal
from services.http.callers import Authenticator
from services.http.connections import ServerBounds
from services.http.server import DEFAULT_BOUNDS, open_asgi_server

logger: Final = logging.getLogger("ticketstream.http")

_LOOK_S: Final = 1.0
#: How long a proxy's connection may be idle. Most proxies keep theirs for 60 s, our load balancer for 65.
_BEHIND_PROXY_S: Final = 75.0


class OpenApp(Protocol):
    """Opens an app; see the services' `compose`."""

    def __call__(self, settings: Settings, stack: ExitStack, *, authenticator: Authenticator | None = None) -> FastAPI:
        """The app, whose parts `stack` closes."""
        ...


class Address(Struct, frozen=True):
    """The address of a service, and the variable that an error about its port names."""

    host: str
    port: int
    setting: str


class Service(Struct, frozen=True):
    """A service: the function that opens its app, and its address."""

    open_app: OpenApp
    address: Callable[[Settings], Address]

    def main(self) -> int:
        """Serve with the environment's settings, and return the exit code. An error is printed as one line."""
        try:
            settings = load_settings()
            set_up_logging(settings.log)
            self.serve(settings, stop_on_signal(), opened=_say_port)
        except TicketstreamError as error:
            sys.stderr.write(f"ticketstream: {error}\n")
            return error.exit_code
        return EXIT_OK

    def serve(
        self,
        settings: Settings,
        stop: threading.Event,
        *,
        opened: Callable[[int], None],
        authenticator: Authenticator | None = None,
    ) -> None:
        """Serve until `stop` is set; then answer running requests, and close everything.

        Args:
            settings: all groups.
            stop: ends the service.
            opened: called with the port once requests are answered.
            authenticator: verifies tokens; by default those of the issuer in the settings.

        Raises:
            ConfigError: a setting is wrong.
            UnavailableError: a dependency that the app needs at its start is unavailable.
            FatalError: the HTTP server did not start, or ended.
        """
        with ExitStack() as stack:
            try:
                app = self.open_app(settings, stack, authenticator=authenticator)
            except UnavailableError:
                if stop.is_set():
                    return
                raise
            address = self.address(settings)
            server = open_asgi_server(
                app, stack, host=address.host, port=address.port, setting=address.setting, bounds=bounds_of(settings)
            )
            opened(server.port)
            while server.alive and not stop.wait(_LOOK_S):
                pass
            if not stop.is_set():
                raise FatalError("the HTTP server ended; see the log lines above")


def bounds_of(settings: Settings) -> ServerBounds:
    """The bounds of a service's connections: those of a proxy are kept for longer than the proxy keeps them.

    Otherwise it would send a request on a connection that is being closed here, and answer it with 502.
    """
    return replace(DEFAULT_BOUNDS, idle_s=_BEHIND_PROXY_S) if settings.limits.trusted_proxies else DEFAULT_BOUNDS


def _say_port(port: int) -> None:
    logger.info("requests are answered", extra={"port": port})
