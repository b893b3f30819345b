"""The MCP server: search, similar tickets, cited answers and tickets for an assistant, under its user's token."""
