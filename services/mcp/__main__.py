"""`python -m services.mcp` serves one assistant over stdio, or with `--http` many over streamable HTTP."""

import argparse
import sys
from typing import Final

from core.settings import Settings
from services.http.running import Address, Service
from services.mcp.compose import open_app, serve_stdio


def _address(settings: Settings) -> Address:
    return Address(settings.mcp.host, settings.mcp.port, "TICKETS_MCP__PORT")


SERVICE: Final = Service(open_app, _address)


def main() -> int:
    """Run the server and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.mcp", description=__doc__)
    parser.add_argument("--tenant", help="over stdio: tenant of the user, if the settings have a sign-in code")
    parser.add_argument("--http", action="store_true", help="serve streamable HTTP instead of stdio")
    given = parser.parse_args()
    return SERVICE.main() if given.http else serve_stdio(given.tenant)


if __name__ == "__main__":
    sys.exit(main())
