"""The Bytewax adapters, run by Bytewax over a fake pipeline."""

from collections.abc import Sequence
from typing import Any

import pytest
from bytewax.testing import run_main

from core.errors import FatalError
from core.records import Batch
from dataflows.adapters import BatchSource
from dataflows.graph import build_dataflow
from stream.steps import Step
from tests.fakes import receipt


def _double(items: Sequence[Any]) -> list[Any]:
    return [item * 2 for item in items]


def _batch(items: Any, name: str) -> Batch[Any]:
    """A batch of numbers, as the adapters don't look at the items."""
    return Batch(items, receipt(name))


class _FakePipeline:
    """Reads `batches`, then ends. It keeps the submitted batches, and their number when it was closed."""

    def __init__(self, batches: list[Any]) -> None:
        self.steps = (Step("double", "enrich", _double),)
        self.submitted: list[Any] = []
        self.closed_after: int | None = None
        self.fault: BaseException | None = None
        self._batches = batches

    @property
    def finished(self) -> bool:
        return not self._batches

    def poll(self) -> Any:
        if self.fault is not None:
            raise FatalError(str(self.fault))
        batch = self._batches.pop(0)
        if isinstance(batch, Exception):
            raise batch
        return batch

    def run_step(self, step: Step, batch: Batch[Any]) -> Batch[Any]:
        if "poison" in batch.items:
            raise FatalError("the step failed")
        return Batch(tuple(step.operator(batch.items)), batch.receipt)

    def submit(self, batch: Batch[Any]) -> None:
        self.submitted.append(batch)

    def fail(self, fault: BaseException) -> None:
        self.fault = self.fault or fault

    def close(self) -> None:
        self.closed_after = len(self.submitted)


def _run(pipeline: Any) -> None:
    run_main(build_dataflow("test", pipeline))  # type: ignore[no-untyped-call]


def test_batches_pass_in_order() -> None:
    """Each batch passes the step and is submitted, and a poll without a batch does not end the source."""
    pipeline = _FakePipeline([_batch((1,), "a"), None, _batch((2, 3), "b")])
    _run(pipeline)
    assert pipeline.submitted == [_batch((2,), "a"), _batch((4, 6), "b")]


def test_the_pipeline_is_closed_after_the_last_submit() -> None:
    """The pipeline is closed after the last batch is submitted, as closing gives up unwritten batches."""
    pipeline = _FakePipeline([_batch((1,), "a"), _batch((2,), "b")])
    _run(pipeline)
    assert pipeline.closed_after == 2


@pytest.mark.parametrize("where", ["poll", "step"])
def test_after_a_fault_nothing_more_is_submitted(where: str) -> None:
    """After a fault, no later batch is submitted, and Bytewax ends without a traceback."""
    failing = FatalError("gone") if where == "poll" else _batch(("poison",), "bad")
    pipeline = _FakePipeline([_batch((1,), "a"), failing, _batch((2,), "b")])
    _run(pipeline)
    assert [batch.receipt for batch in pipeline.submitted] == [receipt("a")]
    assert isinstance(pipeline.fault, FatalError)


def test_more_than_one_bytewax_worker_is_refused() -> None:
    """Several Bytewax workers in a process are refused, as one thread owns the consumer."""
    with pytest.raises(ValueError, match="one Bytewax worker per process"):
        BatchSource(_FakePipeline([])).build("read", 0, 2)  # type: ignore[arg-type]
