"""The command line: one module per command, each a composition root."""
