"""Calls the MCP server's tools with the service in this process, for many calls."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Self
from urllib.parse import urlencode

from mcp.server.mcpserver.exceptions import ToolError

from core.errors import ConfigError
from runtime.service_client import Reply, ServiceClient
from services.mcp.tools import build_server
from tests.rigs.direct import Direct


class _InProcess(ServiceClient):
    """A `ServiceClient` without a connection. A problem is raised as an error with its text."""

    def __init__(self, service: Direct, headers: Mapping[str, str]) -> None:
        self._direct = service
        self._given = headers

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """See `ServiceClient`."""
        target = f"{path}?{urlencode(params)}" if params else path
        given = {**self._given, **(headers or {})}
        reply = self._direct.request(method, target, headers=given, body=None if body is None else dict(body))
        if reply.status != 200:
            raise ConfigError(reply.text)
        return Reply(reply.body)


class Tools(AbstractContextManager["Tools"]):
    """Calls one tool at a time, on an event loop of its own; the tool runs in a thread."""

    def __init__(self, service: Direct) -> None:
        self._headers: Mapping[str, str] = {}
        self._runner = asyncio.Runner()
        self._server = build_server(lambda _context, _service: _InProcess(service, self._headers), version="0")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._runner.close()

    def call(self, name: str, arguments: dict[str, object], headers: Mapping[str, str]) -> tuple[bool, str]:
        """Call a tool with these headers; return whether it succeeded, and its whole output."""
        self._headers = headers
        try:
            return True, self._runner.run(self._server.call_tool(name, arguments)).model_dump_json()
        except ToolError as error:
            return False, str(error)
