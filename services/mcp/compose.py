"""The composition root of the MCP server, with its two transports."""

import sys
from collections.abc import Callable
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
from runtime.service_client import SERVICES, Service, ServiceClient, base_url, open_http_client
from runtime.telemetry import Telemetry
from services.http.app import create_app
from services.http.callers import Authenticator
from services.http.limits import Throttle, open_throttle
from services.http.sessions import Sessions, open_sessions
from services.http.tokens import open_authenticator
from services.mcp.tools import build_server

PATH: Final = "/mcp"
_INTERRUPTED: Final = 130


def serve_stdio(tenant: str | None) -> int:
    """Serve one user until the client leaves; returns the exit code. Standard output is the protocol's."""
    try:
        with ExitStack() as stack:
            open_stdio_server(load_settings(), stack, tenant=tenant).run()
    except TicketstreamError as error:
        sys.stderr.write(f"ticketstream: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    return EXIT_OK


def open_stdio_server(settings: Settings, stack: ExitStack, *, tenant: str | None = None) -> MCPServer:
    """A server for one user, whose token the settings name.

    Raises:
        ConfigError: they name no token, or it is not for `tenant`.
        UnavailableError: the issuer of tokens doesn't answer.
    """
    http = open_http_client(settings.client, stack)
    token = open_token(settings.client, http, tenant=tenant)
    return _server(settings, http, lambda _context: token)


def open_app(settings: Settings, stack: ExitStack, *, authenticator: Authenticator | None = None) -> FastAPI:
    """The app for all users. The services get each caller's own token.

    Args:
        settings: all groups; those of clients, authentication, cache and limits are used.
        stack: closes what is opened.
        authenticator: verifies tokens; by default those of the issuer in the settings.

    Raises:
        ConfigError: a setting is wrong.
    """
    telemetry = Telemetry()
    if authenticator is None:
        authenticator = open_authenticator(settings.auth, stack, telemetry=telemetry)
    _, throttle = open_throttle(settings, stack, telemetry=telemetry)
    server = _server(settings, open_http_client(settings.client, stack), _sent_token)
    sessions = open_sessions(settings.sessions, stack, telemetry=telemetry)
    return _mcp_app(server, authenticator, telemetry, throttle, sessions)


def _mcp_app(
    server: MCPServer, authenticator: Authenticator, telemetry: Telemetry, throttle: Throttle, sessions: Sessions
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
        sessions=sessions,
    )
    # A web page that reaches this host by DNS rebinding has no token, so the names of the host are not checked.
    names = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    transport = server.streamable_http_app(
        streamable_http_path=PATH, stateless_http=True, json_response=True, transport_security=names
    )
    # POST only: a GET would open a stream for messages that this server never sends, and occupy a place for ever.
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
