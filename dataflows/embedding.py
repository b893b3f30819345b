"""tickets.enriched → embed → … → tickets.embedded → the index: the second of two stages.

    python -m bytewax.run dataflows.embedding

Configured by the environment alone; docs/operations.md lists every variable.
"""

from bytewax.dataflow import Dataflow

from dataflows.graph import graph_of
from dataflows.launch import launch
from stream.compose import open_embedding


def flow() -> Dataflow:
    """The graph. Bytewax finds and calls it, so importing this module has no effect."""
    return graph_of("embedding", launch(open_embedding))
