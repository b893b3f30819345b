"""`ticketstream mcp`: offers the services to an assistant over the Model Context Protocol."""

import os
import sys
from typing import Annotated

import typer

from cli.console import CallerTenantOption, report_errors


@report_errors
def mcp(
    *,
    http: Annotated[
        bool, typer.Option("--http", help="Serve streamable HTTP on TICKETS_MCP__PORT instead of stdio.")
    ] = False,
    tenant: CallerTenantOption = None,
) -> None:
    """Offer search, similar tickets, cited answers and tickets to an assistant (Model Context Protocol).

    Over stdio, which is what an assistant starts by itself, the token of the settings is used; over HTTP each caller's
    own. The RAG service and the ticket API decide what a token may see.

    [dim]TICKETS_CLIENT__TOKEN_FILE=token ticketstream mcp
    ticketstream mcp --http[/]
    """
    sys.stdout.flush()
    arguments = [sys.executable, "-m", "services.mcp", *(["--http"] if http else [])]
    arguments += [] if tenant is None else ["--tenant", tenant]
    os.execv(sys.executable, arguments)  # noqa: S606 - no shell
