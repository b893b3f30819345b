"""A pipeline that fails, stops or hangs."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack

import pytest

from core.errors import FatalError, TicketstreamError
from core.records import Batch, Item, Record
from dataflows.adapters import BatchSource, StepMapper
from stream.pipeline import Pipeline
from stream.steps import Operator, Step
from stream.telemetry import StreamTelemetry
from tests.fakes import receipt, record

BATCH = Batch((record(),), receipt("r1"))


class FakeConsumer:
    """Returns or raises each of `polls` in turn, and finishes after the last."""

    def __init__(self, polls: Iterable[Batch[Record] | FatalError | None] = ()) -> None:
        self.hangs = False
        self.since: list[float] = []
        self._polls = list(polls)

    @property
    def finished(self) -> bool:
        return not self._polls

    def poll(self) -> Batch[Record] | None:
        found = self._polls.pop(0)
        if isinstance(found, FatalError):
            raise found
        return found

    def stop(self, since: float) -> None:
        self.since.append(since)

    def close(self) -> None:
        pass


class FakeWriter:
    """Keeps the submitted batches, and their number when it was closed."""

    def __init__(self) -> None:
        self.fault: BaseException | None = None
        self.hangs = False
        self.submitted: list[Batch[Item]] = []
        self.closed_after: int | None = None

    def submit(self, batch: Batch[Item]) -> None:
        self.submitted.append(batch)

    def close(self) -> None:
        self.closed_after = len(self.submitted)


def pipeline_of(
    consumer: FakeConsumer, operator: Operator, *, writer: FakeWriter | None = None, resources: ExitStack | None = None
) -> Pipeline:
    """A pipeline with one step."""
    return Pipeline(
        consumer=consumer,
        steps=[Step("step", "enrich", operator)],
        writer=writer or FakeWriter(),
        telemetry=StreamTelemetry(),
        resources=resources or ExitStack(),
    )


def _lossy(_items: Sequence[Item]) -> list[Item]:
    return []


def test_a_step_that_fails_ends_the_reading() -> None:
    """A fault of a step on the polling thread ends the source, and the next poll raises it."""
    pipeline = pipeline_of(FakeConsumer([BATCH, BATCH]), _lossy)
    reader = BatchSource(pipeline).build("read", 0, 1)
    (batch,) = reader.next_batch()
    StepMapper(pipeline, pipeline.steps[0])(batch)
    with pytest.raises(StopIteration):
        reader.next_batch()
    assert str(pipeline.fault) == "step returned 0 results for 1 records"
    with pytest.raises(TicketstreamError, match="step returned 0 results"):
        pipeline.poll()


def test_a_fault_of_the_writer_ends_the_reading() -> None:
    """The next poll raises the writer's fault, and its message says that writing failed."""
    writer = FakeWriter()
    pipeline = pipeline_of(FakeConsumer([BATCH]), _lossy, writer=writer)
    writer.fault = FatalError("the index is gone")
    with pytest.raises(FatalError, match="writing: the index is gone"):
        pipeline.poll()


def test_the_time_to_drain_counts_from_the_first_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drain timeout begins with the first signal, not with the poll after it or a second signal."""
    consumer, now = FakeConsumer([BATCH]), [100.0]
    monkeypatch.setattr("stream.pipeline.time.monotonic", lambda: now[0])
    pipeline = pipeline_of(consumer, _lossy)
    pipeline.stop()
    now[0] = 107.0
    pipeline.stop()
    pipeline.poll()
    assert consumer.since == [100.0]


@pytest.mark.parametrize("hung", [None, "consumer", "writer"])
def test_a_pipeline_that_hangs_leaves_its_resources_open(hung: str | None) -> None:
    """Closing a resource that a hung thread uses could block, so it is left to the process's exit."""
    resources, closed = ExitStack(), list[str]()
    resources.callback(closed.append, "closed")
    consumer, writer = FakeConsumer(), FakeWriter()
    consumer.hangs, writer.hangs = hung == "consumer", hung == "writer"
    pipeline = pipeline_of(consumer, _lossy, writer=writer, resources=resources)
    pipeline.close()
    assert pipeline.hangs is (hung is not None)
    assert closed == ([] if pipeline.hangs else ["closed"])
