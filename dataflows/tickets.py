"""The whole stream in one process: tickets.raw → decode → clean → redact → … → chunk → embed → … → the index.

    python -m bytewax.run dataflows.tickets

Environment variables configure it; docs/operations.md lists them.
"""

from bytewax.dataflow import Dataflow

from dataflows.graph import build_dataflow
from dataflows.launch import launch
from stream.compose import open_pipeline


def flow() -> Dataflow:
    """The dataflow. Bytewax finds and calls this function, so importing the module has no effect."""
    return build_dataflow("tickets", launch(open_pipeline))
