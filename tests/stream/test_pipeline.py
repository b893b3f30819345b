"""A pipeline that fails, stops or hangs."""

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
    """Returns a batch at every poll."""

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
    """A fault of a step on the polling thread ends the source, and the next poll raises it."""
    pipeline = _pipeline(_Consumer())
    reader: Any = BatchSource(pipeline).build("read", 0, 1)
    (batch,) = reader.next_batch()
    StepMapper(pipeline, pipeline.steps[0])(batch)
    with pytest.raises(StopIteration):
        reader.next_batch()
    assert str(pipeline.fault) == "lossy returned 0 results for 1 records"
    with pytest.raises(TicketstreamError, match="lossy returned 0 results"):
        pipeline.poll()


def test_a_fault_of_the_writer_ends_the_reading() -> None:
    """The next poll raises the writer's fault, and its message says that writing failed."""
    pipeline = _pipeline(_Consumer())
    pipeline._writer.fault = FatalError("the index is gone")  # type: ignore[misc]
    with pytest.raises(FatalError, match="writing: the index is gone"):
        pipeline.poll()


def test_the_time_to_drain_counts_from_the_first_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drain timeout begins with the first signal, not with the poll after it or a second signal."""
    consumer, now = _Consumer(), [100.0]
    monkeypatch.setattr("stream.pipeline.time.monotonic", lambda: now[0])
    pipeline = _pipeline(consumer)
    pipeline.stop()
    now[0] = 107.0
    pipeline.stop()
    pipeline.poll()
    assert consumer.since == [100.0]


@pytest.mark.parametrize("who", ["nobody", "consumer", "writer"])
def test_a_pipeline_that_hangs_leaves_its_resources_open(who: str) -> None:
    """Closing a resource that a hung thread uses could block, so it is left to the process's exit."""
    resources = ExitStack()
    closed: list[str] = []
    resources.callback(closed.append, "closed")
    pipeline = _pipeline(_Consumer(), resources)
    if who != "nobody":
        getattr(pipeline, f"_{who}").hangs = True
    pipeline.close()
    assert pipeline.hangs is (who != "nobody")
    assert closed == ([] if pipeline.hangs else ["closed"])
