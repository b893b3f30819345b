"""Builds the Bytewax dataflow of a pipeline: one map for each step, between a source and a sink of batches."""

import bytewax.operators as op
from bytewax.dataflow import Dataflow, Stream

from core.records import Batch, Item
from dataflows.adapters import BatchSource, StepMapper, WriterSink
from stream.pipeline import Pipeline


def build_dataflow(name: str, pipeline: Pipeline) -> Dataflow:
    """The dataflow that runs `pipeline`."""
    dataflow = Dataflow(name)
    batches: Stream[Batch[Item]] = op.input("read", dataflow, BatchSource(pipeline))
    for step in pipeline.steps:
        batches = op.map(step.name, batches, StepMapper(pipeline, step))
    op.output("write", batches, WriterSink(pipeline))
    return dataflow
