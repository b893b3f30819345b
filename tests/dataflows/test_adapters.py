"""The Bytewax adapters, run by Bytewax over a pipeline with a fake consumer and writer."""

from collections.abc import Iterable, Sequence

import pytest
from bytewax.testing import run_main
from msgspec import structs

from core.errors import FatalError
from core.records import Batch, Record
from dataflows.adapters import BatchSource
from dataflows.graph import build_dataflow
from stream.pipeline import Pipeline
from tests.fakes import receipt, record
from tests.stream.test_pipeline import FakeConsumer, FakeWriter, pipeline_of


def _double(items: Sequence[Record]) -> list[Record]:
    if any(item.value == b"poison" for item in items):
        raise FatalError("the step failed")
    return [structs.replace(item, value=(item.value or b"") * 2) for item in items]


def _batch(name: str, *values: bytes) -> Batch[Record]:
    return Batch(tuple(record(value=value) for value in values), receipt(name))


def _run(polls: Iterable[Batch[Record] | FatalError | None]) -> tuple[Pipeline, FakeWriter]:
    writer = FakeWriter()
    pipeline = pipeline_of(FakeConsumer(polls), _double, writer=writer)
    run_main(build_dataflow("test", pipeline))  # type: ignore[no-untyped-call]
    return pipeline, writer


def test_batches_pass_in_order() -> None:
    """Each batch passes the step and is submitted, and a poll without a batch does not end the source."""
    pipeline, writer = _run([_batch("a", b"1"), None, _batch("b", b"2", b"3")])
    assert writer.submitted == [_batch("a", b"11"), _batch("b", b"22", b"33")]
    assert pipeline.fault is None


def test_the_pipeline_is_closed_after_the_last_submit() -> None:
    """The pipeline is closed after the last batch is submitted, as closing gives up unwritten batches."""
    _pipeline, writer = _run([_batch("a", b"1"), _batch("b", b"2")])
    assert writer.closed_after == 2


@pytest.mark.parametrize("failing", [FatalError("gone"), _batch("bad", b"poison")], ids=["poll", "step"])
def test_after_a_fault_nothing_more_is_submitted(failing: Batch[Record] | FatalError) -> None:
    """After a fault, no later batch is submitted, and Bytewax ends without a traceback."""
    pipeline, writer = _run([_batch("a", b"1"), failing, _batch("b", b"2")])
    assert [batch.receipt for batch in writer.submitted] == [receipt("a")]
    assert isinstance(pipeline.fault, FatalError)


def test_more_than_one_bytewax_worker_is_refused() -> None:
    """Several Bytewax workers in a process are refused, as one thread owns the consumer."""
    with pytest.raises(ValueError, match="one Bytewax worker per process"):
        BatchSource(pipeline_of(FakeConsumer(), _double)).build("read", 0, 2)
