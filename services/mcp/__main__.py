"""Runs the MCP server: `python -m services.mcp`, over stdio or with `--http`."""

import sys

from services.mcp.compose import main

sys.exit(main(sys.argv[1:]))
