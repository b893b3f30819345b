"""tickets.raw → decode → clean → redact → … → chunk → writer, in one process; the writer embeds and indexes.

    python -m bytewax.run dataflows.tickets

Configured by the environment alone; docs/operations.md lists every variable.
"""

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from dataflows.adapters import BatchSource, StepMapper, WriterSink
from dataflows.launch import launch
from worker.compose import build_pipeline


def flow() -> Dataflow:
    """The graph. Bytewax finds and calls it, so importing this module has no effect."""
    pipeline = launch(build_pipeline)
    graph = Dataflow("tickets")
    batches = op.input("read", graph, BatchSource(pipeline))
    for step in pipeline.steps:
        batches = op.map(step.name, batches, StepMapper(pipeline, step))
    op.output("write", batches, WriterSink(pipeline))
    return graph
