"""Measures each operator in tickets per second on one core, in batches of the pipeline's size."""

import gc
from collections.abc import Callable, Sequence
from typing import Final

from bench.corpus import records
from bench.job import Clock, Job, Measured, answer
from core.environment import load_settings
from core.records import Batch, EmbeddedTicket, EnrichedTicket, Item, Record
from models.open import load_embedder
from models.run.hashing import HashingEmbedder
from stream.plan import ticket_steps
from stream.steps import Step, run_step
from stream.telemetry import StreamTelemetry

ALL: Final = "all of them"
NAMES: Final = ("decode", "clean", "redact", "language", "chunk", "classify", "points")


def _operator(wanted: str) -> Callable[[Job], Measured]:
    def run(job: Job) -> Measured:
        settings, telemetry, clock = load_settings(), StreamTelemetry(), Clock()
        # The tokenizer is the real one; the vectors are dummies, because the model is not measured here.
        steps, hashing = ticket_steps(settings, load_embedder(settings.model)), HashingEmbedder()
        total = [0.0, 0.0]
        raw, most = records(job.tickets), settings.writer.max_batch_records
        _load(steps, raw[:most], telemetry)
        gc.collect()
        for start in range(0, job.tickets, most):
            batch: Batch[Item] = Batch(tuple(raw[start : start + most]))
            for step in steps:
                if step.name == "embed":
                    batch = Batch(tuple(_embedded(item, hashing) for item in batch.items))
                    continue
                if wanted not in {step.name, ALL}:
                    batch = run_step(step, batch, telemetry)
                    continue
                with clock.measure():
                    batch = run_step(step, batch, telemetry)
                total[0] += clock.seconds
                total[1] += clock.cpu_seconds
        clock.seconds, clock.cpu_seconds = total
        return clock.measured(tickets=job.tickets)

    return run


def _load(steps: Sequence[Step], raw: Sequence[Record], telemetry: StreamTelemetry) -> None:
    """Run the operators once, because some load tables at their first ticket."""
    batch: Batch[Item] = Batch(tuple(raw))
    for step in steps:
        if step.name == "embed":
            return
        batch = run_step(step, batch, telemetry)


def _embedded(item: Item, hashing: HashingEmbedder) -> Item:
    if not isinstance(item, EnrichedTicket):
        return item
    return EmbeddedTicket(item, hashing.embed([p.embed_text for p in item.passages]), hashing.stamp)


CONTENDERS: Final = {name: _operator(name) for name in (*NAMES, ALL)}

if __name__ == "__main__":
    answer(CONTENDERS)
