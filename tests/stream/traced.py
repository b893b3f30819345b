"""A worker whose spans are kept."""

from collections.abc import Sequence
from typing import Any

from core.model_settings import ModelSettings
from core.records import Batch, Record
from core.settings import Settings
from models.open import load_embedder
from stream.plan import ticket_steps
from stream.steps import run_step
from stream.telemetry import StreamTelemetry
from tests.fakes import FakeDeadLetters, FakeIndex, receipt
from tests.rigs.spans import Spans
from tests.stream.runs import Run


def work(spans: Spans, records: Sequence[Record], index: FakeIndex, letters: FakeDeadLetters | None = None) -> None:
    """Run a worker's steps and writer on the records."""
    settings = Settings(model=ModelSettings(name="hashing"))
    telemetry = StreamTelemetry(tracing=spans.provider)
    run = Run(index, letters or FakeDeadLetters(), telemetry=telemetry)
    telemetry.read(records)
    batch: Batch[Any] = Batch(tuple(records), receipt("r"))  # records first, points last
    for step in ticket_steps(settings, load_embedder(settings.model)):
        batch = run_step(step, batch, telemetry)
    run.writer.submit(batch)
    run.wait(lambda: run.acks == [receipt("r")])
    run.writer.close()
