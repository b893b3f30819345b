"""A pipeline as a Bytewax source, steps and sink.

One process, one Bytewax worker: the offsets a consumer may commit are known in its own process only. To scale,
run more processes in the same consumer group.

Bytewax turns every Python exception into a traceback and exit code 1. A fault that we understand is noted by the
pipeline instead, ends the source, and decides the exit code when the process ends (`dataflows.launch`).
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
        # The source is closed before the sink: nothing may be given up here that the sink still needs.
        pass


class BatchSource(DynamicSource[Batch[Item]]):
    """Reads batches; ends when the pipeline has drained or failed."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def build(self, _step_id: str, _worker_index: int, worker_count: int) -> _Reader:
        if worker_count != 1:
            raise ValueError("run one Bytewax worker per process, and more processes to scale")
        return _Reader(self._pipeline)


class StepMapper:
    """One step as a mapping of batches. After a fault it lets batches through untouched: none will be acked."""

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
        except Exception:  # an error here while another unwinds would abort the interpreter
            logger.exception("closing")


class WriterSink(DynamicSink[Batch[Item]]):
    """Hands batches to the writer, without blocking."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def build(self, _step_id: str, _worker_index: int, _worker_count: int) -> _Submitter:
        return _Submitter(self._pipeline)
