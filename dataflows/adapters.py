"""A pipeline as a Bytewax source, steps and sink.

Each process runs one Bytewax worker, because only the consumer's own process knows which offsets it may commit. To
scale, run more processes in the same consumer group.

Bytewax turns every Python exception into a traceback and exit code 1. The pipeline therefore records a
TicketstreamError itself; the error ends the source and sets the process's exit code (`dataflows.launch`).
"""

import logging
from typing import Final

from bytewax.inputs import DynamicSource, StatelessSourcePartition
from bytewax.outputs import DynamicSink, StatelessSinkPartition

from core.errors import TicketstreamError
from core.records import Batch, Item
from stream.pipeline import Pipeline
from stream.steps import Step

logger: Final = logging.getLogger("ticketstream.dataflow")


class _Reader(StatelessSourcePartition[Batch[Item]]):
    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def next_batch(self) -> list[Batch[Item]]:
        if self._pipeline.finished:
            raise StopIteration
        try:
            batch = self._pipeline.poll()
        except TicketstreamError as error:
            self._pipeline.fail(error)
            raise StopIteration from None
        return [] if batch is None else [batch]

    def close(self) -> None:
        # Bytewax closes the source before the sink, which still needs the pipeline.
        pass


class BatchSource(DynamicSource[Batch[Item]]):
    """Reads batches, and ends when the pipeline has drained or failed."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def build(self, _step_id: str, _worker_index: int, worker_count: int) -> _Reader:
        if worker_count != 1:
            raise ValueError("run one Bytewax worker per process, and more processes to scale")
        return _Reader(self._pipeline)


class StepMapper:
    """Maps batches with one step. After a fault it passes them on unchanged, and none is acked."""

    def __init__(self, pipeline: Pipeline, step: Step) -> None:
        self._pipeline = pipeline
        self._step = step

    def __call__(self, batch: Batch[Item]) -> Batch[Item]:
        if self._pipeline.fault is not None:
            return batch
        try:
            return self._pipeline.run_step(self._step, batch)
        except TicketstreamError as error:
            self._pipeline.fail(error)
            return batch


class _Submitter(StatelessSinkPartition[Batch[Item]]):
    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def write_batch(self, items: list[Batch[Item]]) -> None:
        for batch in items:
            if self._pipeline.fault is None:
                self._pipeline.submit(batch)

    def close(self) -> None:
        try:
            self._pipeline.close()
        except Exception:  # raised while another exception unwinds, it would abort the interpreter
            logger.exception("closing the pipeline failed")


class WriterSink(DynamicSink[Batch[Item]]):
    """Submits batches to the writer, without blocking."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def build(self, _step_id: str, _worker_index: int, _worker_count: int) -> _Submitter:
        return _Submitter(self._pipeline)
