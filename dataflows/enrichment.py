"""tickets.raw → decode → clean → redact → … → chunk → tickets.enriched: the first of two stages.

    python -m bytewax.run dataflows.enrichment

Configured by the environment alone; docs/operations.md lists every variable.
"""

from bytewax.dataflow import Dataflow

from dataflows.graph import graph_of
from dataflows.launch import launch
from stream.compose import open_enrichment


def flow() -> Dataflow:
    """The graph. Bytewax finds and calls it, so importing this module has no effect."""
    return graph_of("enrichment", launch(open_enrichment))
