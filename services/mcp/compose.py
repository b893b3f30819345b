"""What the MCP server needs, and its two transports."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from typing import Final

import httpx
from fastapi import FastAPI
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.transport_security import TransportSecuritySettings
from starlette.routing import Route

from core.environment import load_settings
from core.errors import EXIT_OK, TicketstreamError
from core.settings import Settings
from runtime.access_tokens import Token, open_token
from runtime.logs import set_up_logging
from runtime.service_client import SERVICES, Service, ServiceClient, base_url, open_http_client
from runtime.telemetry import Telemetry
from services.http.app import create_app
from services.http.callers import Authenticator
from services.http.limits import Throttle, open_throttle
from services.http.server import AsgiServer, open_asgi_server
from services.http.tokens import open_authenticator
from services.mcp.tools import build_server

PATH: Final = "/mcp"
_INTERRUPTED: Final = 130


def main(arguments: Sequence[str]) -> int:
    """Run until the client leaves or a signal arrives; returns the exit code. Over stdio, standard output is its."""
    parser = argparse.ArgumentParser(prog="python -m services.mcp", description=__doc__)
    parser.add_argument("--tenant", help="over stdio: tenant of the user, if the settings have a sign-in code")
    parser.add_argument("--http", action="store_true", help="serve streamable HTTP instead of stdio")
    given = parser.parse_args(arguments)
    try:
        settings = load_settings()
        with ExitStack() as stack:
            if given.http:
                set_up_logging(settings.log)
                server = open_http(settings, stack)
                sys.stderr.write(f"MCP at http://{settings.mcp.host}:{server.port}{PATH}\n")
                _wait_for_signal()
            else:
                open_stdio_server(settings, stack, tenant=given.tenant).run()
    except TicketstreamError as error:
        sys.stderr.write(f"ticketstream: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    return EXIT_OK


def _wait_for_signal() -> None:
    """Return at SIGTERM. SIGINT raises KeyboardInterrupt."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    stop.wait()


def open_stdio_server(settings: Settings, stack: ExitStack, *, tenant: str | None = None) -> MCPServer:
    """A server for one user, whose token the settings name.

    Raises:
        ConfigError: they name none, it is another tenant's than `tenant`, or a URL in them is none.
        UnavailableError: the issuer of tokens doesn't answer.
    """
    http = open_http_client(settings.client, stack)
    token = open_token(settings.client, http, tenant=tenant)
    return _server(settings, http, lambda _context: token)


def open_http(settings: Settings, stack: ExitStack) -> AsgiServer:
    """A running server for all users. The services get the token that each sends.

    Raises:
        ConfigError: a setting is wrong, or the port is taken.
    """
    telemetry = Telemetry()
    authenticator = open_authenticator(settings.auth, stack, telemetry=telemetry)
    _, throttle = open_throttle(settings, stack, telemetry=telemetry)
    app = create_mcp_app(open_forwarding_server(settings, stack), authenticator, telemetry, throttle)
    return open_asgi_server(app, stack, host=settings.mcp.host, port=settings.mcp.port, setting="TICKETS_MCP__PORT")


def open_forwarding_server(settings: Settings, stack: ExitStack) -> MCPServer:
    """A server whose tools send each caller's own token on.

    Raises:
        ConfigError: a URL in the settings is none.
    """
    return _server(settings, open_http_client(settings.client, stack), _sent_token)


def create_mcp_app(
    server: MCPServer, authenticator: Authenticator, telemetry: Telemetry, throttle: Throttle | None = None
) -> FastAPI:
    """An app with the streamable HTTP transport, behind the middleware of every service."""
    app = create_app(
        name="mcp",
        title="Ticketstream MCP server",
        version=version("ticketstream"),
        routers=[],
        authenticator=authenticator,
        telemetry=telemetry,
        alive=lambda: None,
        ready=lambda: None,
        throttle=throttle,
    )
    # A web page that reaches this host by DNS rebinding has no token, so the names of the host are not checked.
    names = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    transport = server.streamable_http_app(
        streamable_http_path=PATH, stateless_http=True, json_response=True, transport_security=names
    )
    # POST only: a GET would open a stream for messages that this server never sends, and hold a place for ever.
    endpoints = [route.endpoint for route in transport.routes if isinstance(route, Route) and route.path == PATH]
    app.router.routes += [Route(PATH, endpoint, methods=["POST"]) for endpoint in endpoints]
    app.router.lifespan_context = lambda _app: server.session_manager.run()
    return app


def _server(settings: Settings, http: httpx.Client, token: Callable[[Context], Token]) -> MCPServer:
    bases = {service: base_url(settings.client, service) for service in SERVICES}

    def clients(context: Context, service: Service) -> ServiceClient:
        return ServiceClient(http, service, bases[service], token(context))

    return build_server(clients, version=version("ticketstream"))


def _sent_token(context: Context) -> Token:
    """The token of the request, which `Authentication` has checked."""
    token = (context.headers or {}).get("authorization", "").partition(" ")[2]
    return lambda: token
