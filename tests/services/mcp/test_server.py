"""The MCP server's tools work over both of its transports, each under the caller's token."""

import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import Literal

import anyio
import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from core.client_settings import ClientSettings
from core.settings import Settings
from runtime.telemetry import Telemetry
from services.mcp.compose import open_app
from tests.rigs.asgi import serving
from tests.rigs.issuer import Issuer
from tests.web.fake_rag import CAUSE, FakeServices, serve

Use = Callable[[Client], Awaitable[None]]


@pytest.fixture(scope="module")
def services() -> Iterator[FakeServices]:
    with serve() as running:
        yield running


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(scope="module")
def over_http(services: FakeServices, issuer: Issuer) -> Iterator[str]:
    """The URL of the server over HTTP."""
    settings = Settings(client=ClientSettings(rag_url=services.url, tickets_url=services.url))
    with ExitStack() as stack:
        app = open_app(settings, stack, authenticator=issuer.authenticator(Telemetry()))
        yield stack.enter_context(serving(app)) + "/mcp"


def _text(result: CallToolResult) -> str:
    part = result.content[0]
    assert isinstance(part, TextContent)
    return part.text


async def _use_every_tool(client: Client) -> None:
    tools = (await client.list_tools()).tools
    assert {tool.name for tool in tools} == {"search", "similar_tickets", "cited_answer", "ticket_by_id"}
    assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools)
    found = await client.call_tool("search", {"question": "VAT", "solved": True})
    assert found.structured_content is not None
    assert found.structured_content["hits"][0]["ticket_id"] == "T-1042"
    answer = await client.call_tool("cited_answer", {"question": "VAT"})
    assert answer.structured_content is not None
    assert answer.structured_content["sentences"][0]["text"] == CAUSE
    like = await client.call_tool("similar_tickets", {"ticket_id": "A/1", "limit": 3})
    assert like.structured_content == {"hits": [{"ticket_id": "like A/1"}], "nothing": False, "limit": "3"}
    ticket = await client.call_tool("ticket_by_id", {"ticket_id": "T-1042"})
    assert ticket.structured_content == {"ticket_id": "T-1042", "subject": "Wrong VAT"}


async def _make_mistakes(client: Client) -> None:
    for tool, arguments, words in [
        ("similar_tickets", {"ticket_id": "T-404"}, "The tenant has no ticket of this id"),
        ("search", {"question": "x" * 101}, "question: It has more than 100 characters"),
        ("search", {"question": ""}, "at least 1 character"),
        ("cited_answer", {"question": "busy"}, "Too many questions are being answered; try again in 2 s"),
        ("cited_answer", {"question": "broken"}, "its log has more (request req-7)"),
    ]:
        result = await client.call_tool(tool, arguments)
        assert result.is_error
        assert words in _text(result)


@pytest.mark.parametrize(("use", "mode"), [(_use_every_tool, "legacy"), (_make_mistakes, "auto")])
def test_the_tools_work_over_http(
    over_http: str, issuer: Issuer, services: FakeServices, use: Use, mode: Literal["legacy", "auto"]
) -> None:
    """The services get the caller's own token, and a problem's detail reaches the assistant as a tool error."""
    headers = issuer.headers("globex")

    async def run() -> None:
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(over_http, http_client=http), mode=mode) as client,
        ):
            await use(client)

    services.headers.clear()
    anyio.run(run)
    assert {given["authorization"] for given in services.headers} == {headers["Authorization"]}


def test_a_caller_without_a_valid_token_is_refused(over_http: str, issuer: Issuer, services: FakeServices) -> None:
    """HTTP without a token, or with a forged one, is 401 with a problem document, and reaches no service."""
    services.headers.clear()
    forged = {"Authorization": f"Bearer {issuer.token(key='k9')}"}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for headers in ({}, forged):
        response = httpx.post(over_http, json=call, headers={"Accept": "application/json", **headers})
        assert response.status_code == 401
        assert response.headers["Content-Type"] == "application/problem+json"
        assert "Bearer" in response.headers["WWW-Authenticate"]
    assert services.headers == []


def test_no_request_waits_for_messages_that_never_come(over_http: str, issuer: Issuer) -> None:
    """Only POST is allowed, because a stream opened by GET would hold its place for ever."""
    for method in ("GET", "DELETE", "PUT"):
        response = httpx.request(method, over_http, headers={**issuer.headers(), "Accept": "text/event-stream"})
        assert (response.status_code, response.headers["Allow"]) == (405, "POST")


def test_the_tools_work_over_stdio(services: FakeServices) -> None:
    """The process that an assistant starts uses the token of its settings."""
    environment = {
        "TICKETS_CLIENT__RAG_URL": services.url,
        "TICKETS_CLIENT__TICKETS_URL": services.url,
        "TICKETS_CLIENT__TOKEN": "the-users-token",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "services.mcp"], env=dict(os.environ) | environment
    )

    async def run() -> None:
        async with Client(parameters) as client:
            await _use_every_tool(client)
            await _make_mistakes(client)

    services.headers.clear()
    anyio.run(run)
    assert {given["authorization"] for given in services.headers} == {"Bearer the-users-token"}
