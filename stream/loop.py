"""The pipeline without a framework: the same consumer, steps and writer in a plain loop."""

from core.records import Batch, Item
from stream.pipeline import Pipeline


def run(pipeline: Pipeline) -> None:
    """Read, step, hand over, until `pipeline.stop` has drained it; then close it.

    Raises:
        FatalError: what stopped it early; the batches concerned are not committed.
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
