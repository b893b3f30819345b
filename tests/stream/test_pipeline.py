"""A pipeline that has failed: it says so at the next poll, instead of living on and reading nothing."""

from contextlib import ExitStack
from typing import Any

import pytest

from core.errors import FatalError, TicketstreamError
from core.records import Batch
from dataflows.adapters import BatchSource, StepMapper
from stream.pipeline import Pipeline
from stream.steps import Step
from stream.telemetry import StreamTelemetry
from tests.fakes import receipt, record


class _Consumer:
    """A batch at every poll."""

    finished = False
    hangs = False

    def __init__(self) -> None:
        self.since: list[float] = []

    def poll(self) -> Any:
        return Batch((record(),), receipt("r1"))

    def stop(self, since: float) -> None:
        self.since.append(since)

    def close(self) -> None:
        pass


class _Writer:
    fault: BaseException | None = None
    hangs = False

    def close(self) -> None:
        pass


def _pipeline(consumer: Any, resources: ExitStack | None = None) -> Pipeline:
    lossy = Step("lossy", "enrich", lambda _items: [])
    writer: Any = _Writer()
    return Pipeline(
        consumer=consumer, steps=[lossy], writer=writer, telemetry=StreamTelemetry(), resources=resources or ExitStack()
    )


def test_a_step_that_fails_ends_the_reading() -> None:
    """The fault is one of the polling thread's: no writer knows of it."""
    pipeline = _pipeline(_Consumer())
    reader: Any = BatchSource(pipeline).build("read", 0, 1)
    (batch,) = reader.next_batch()
    StepMapper(pipeline, pipeline.steps[0])(batch)
    with pytest.raises(StopIteration):
        reader.next_batch()
    assert str(pipeline.fault) == "lossy returned 0 results for 1 records"
    with pytest.raises(TicketstreamError, match="lossy returned 0 results"):
        pipeline.poll()


def test_the_writer_s_fault_ends_it_too() -> None:
    """With the word that it came of writing."""
    pipeline = _pipeline(_Consumer())
    pipeline._writer.fault = FatalError("the index is gone")  # type: ignore[misc]
    with pytest.raises(FatalError, match="writing: the index is gone"):
        pipeline.poll()


def test_the_time_to_drain_counts_from_the_first_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not from the poll that comes after it, nor from a second signal."""
    consumer, now = _Consumer(), [100.0]
    monkeypatch.setattr("stream.pipeline.time.monotonic", lambda: now[0])
    pipeline = _pipeline(consumer)
    pipeline.stop()
    now[0] = 107.0
    pipeline.stop()
    pipeline.poll()
    assert consumer.since == [100.0]


@pytest.mark.parametrize("who", ["nobody", "consumer", "writer"])
def test_what_somebody_hangs_in_is_left_to_the_end_of_the_process(who: str) -> None:
    """A close of it could wait for ever."""
    resources = ExitStack()
    closed: list[str] = []
    resources.callback(closed.append, "closed")
    pipeline = _pipeline(_Consumer(), resources)
    if who != "nobody":
        getattr(pipeline, f"_{who}").hangs = True
    pipeline.close()
    assert pipeline.hangs is (who != "nobody")
    assert closed == ([] if pipeline.hangs else ["closed"])
