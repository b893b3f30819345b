"""tickets.raw → decode → clean → redact → … → chunk → writer, in one process; the writer embeds and indexes.

    python -m bytewax.run dataflows.tickets

Configured by the environment alone; docs/operations.md lists every variable.
"""

from bytewax.dataflow import Dataflow

from dataflows.graph import graph_of
from dataflows.launch import launch
from stream.compose import open_pipeline


def flow() -> Dataflow:
    """The graph. Bytewax finds and calls it, so importing this module has no effect."""
    return graph_of("tickets", launch(open_pipeline))
