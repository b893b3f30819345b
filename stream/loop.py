"""Runs a pipeline in a plain loop, without a framework."""

from core.records import Batch, Item
from stream.pipeline import Pipeline


def run(pipeline: Pipeline) -> None:
    """Poll, run the steps and submit, until the pipeline is stopped and drained; then close it.

    Raises:
        FatalError: the pipeline failed; the batches that it failed on are not committed.
    """
    try:
        while not pipeline.finished:
            batch: Batch[Item] | None = pipeline.poll()
            if batch is None:
                continue
            for step in pipeline.steps:
                batch = pipeline.run_step(step, batch)
            pipeline.submit(batch)
    finally:
        pipeline.close()
