"""The embedding role: tickets.enriched → embed → … → tickets.embedded → the index.

    python -m bytewax.run dataflows.embedding

Environment variables configure it; docs/operations.md lists them.
"""

from bytewax.dataflow import Dataflow

from dataflows.graph import build_dataflow
from dataflows.launch import launch
from stream.compose import open_embedding


def flow() -> Dataflow:
    """The dataflow. Bytewax finds and calls this function, so importing the module has no effect."""
    return build_dataflow("embedding", launch(open_embedding))
