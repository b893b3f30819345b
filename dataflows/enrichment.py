"""The enrichment role: tickets.raw → decode → clean → redact → … → chunk → tickets.enriched.

    python -m bytewax.run dataflows.enrichment

Environment variables configure it; docs/operations.md lists them.
"""

from bytewax.dataflow import Dataflow

from dataflows.graph import build_dataflow
from dataflows.launch import launch
from stream.compose import open_enrichment


def flow() -> Dataflow:
    """The dataflow. Bytewax finds and calls this function, so importing the module has no effect."""
    return build_dataflow("enrichment", launch(open_enrichment))
