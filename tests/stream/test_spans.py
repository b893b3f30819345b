"""A worker's spans of records whose trace is sampled."""

from importlib import import_module
from typing import Final

import msgspec
import pytest

from core.records import Origin, Record, Rejected
from tests.fakes import FakeDeadLetters, FakeIndex
from tests.rigs.mutation import mutant
from tests.rigs.spans import Spans, attributes
from tests.stream.traced import work

_TRACE: Final = "67891233abcdef012345678912345678"
_SAMPLED: Final = f"00-{_TRACE}-b7ad6b7169203331-01".encode()
_VALUE: Final = msgspec.json.encode(
    {"op": "upsert", "tenant_id": "acme", "ticket_id": "1", "version": 1, "created_at": 0, "updated_at": 0, "body": "b"}
)

#: Code of `stream.spans`, the fault that replaces it, and the test that must fail.
_MUTANTS: Final = {
    "every trace is sampled": (
        'int(traceparent.rpartition(b"-")[2], 16) & _SAMPLED',
        'int(traceparent.rpartition(b"-")[2], 16) | _SAMPLED',
        "test_spans.test_a_record_that_is_not_sampled_is_not_remembered",
    ),
    "the caller's trace ends here": (
        "return context if",
        "return Context() if",
        "test_spans.test_a_record_is_a_span_of_its_producers_trace",
    ),
    "the reason is exported": (
        'f"{letter.stage}/{letter.code}"',
        "letter.reason",
        "test_spans.test_a_rejected_record_ends_its_trace_as_an_error_without_its_text",
    ),
    "records are remembered for ever": (
        "found = self._began.pop(origin, None)",
        "found = self._began.get(origin)",
        "test_spans.test_a_record_that_is_read_again_has_a_span_again",
    ),
    "what is never acked is kept": (
        "self._began.popitem(last=False)",
        "self._began.popitem()",
        "test_spans.test_records_that_are_never_acked_do_not_end_the_tracing",
    ),
}


def _record(header: bytes, value: bytes = _VALUE, offset: int = 7) -> Record:
    return Record(Origin("tickets.raw", 0, offset), b"acme/1", value, 1, (("traceparent", header),))


def test_a_record_is_a_span_of_its_producers_trace() -> None:
    """The worker's span lasts from the reading until the index has the ticket, and the write is a span inside it."""
    spans = Spans()
    work(spans, [_record(_SAMPLED)], FakeIndex())
    write, process = spans.ended()
    assert f"{process.context.trace_id:032x}" == _TRACE
    assert process.parent is not None
    assert f"{process.parent.span_id:016x}" == "b7ad6b7169203331"
    assert write.parent is not None
    assert write.parent.span_id == process.context.span_id
    assert (process.name, write.name) == ("process tickets.raw", "write index")
    assert attributes(process)["messaging.kafka.offset"] == 7


@pytest.mark.parametrize(
    "header", [b"", b"00-1-2-00", b"00-1-2-01", _SAMPLED[:-2] + b"00", _SAMPLED[:-2] + b"zz", b"01", b"\xff-01"]
)
def test_a_record_that_is_not_sampled_has_no_span(header: bytes) -> None:
    """A producer may write anything into a header: the record is indexed, and nothing is exported for it."""
    spans, index = Spans(), FakeIndex()
    work(spans, [_record(header)], index)
    assert spans.ended() == []
    assert ("acme", "1") in index.versions


def test_a_record_that_is_not_sampled_is_not_remembered() -> None:
    """A record without a sampled trace costs one look at its header."""
    from stream.spans import RecordSpans  # noqa: PLC0415 - the mutant's, if there is one

    found = RecordSpans(Spans().provider)
    found.read([_record(_SAMPLED[:-2] + b"00"), _record(_SAMPLED, offset=8)])
    assert [origin.offset for origin in found._began] == [8]


def test_a_rejected_record_ends_its_trace_as_an_error_without_its_text() -> None:
    """The span says stage and code; the reason might quote the ticket."""
    spans, letters = Spans(ratio=0), FakeDeadLetters()
    work(spans, [_record(_SAMPLED, b"{no json")], FakeIndex(), letters)
    (span,) = spans.ended()
    (letter,) = letters.letters
    assert attributes(span)["error.type"] == "decode/bad_json"
    assert not span.status.is_ok
    assert letter.reason not in str(span.attributes)


def test_a_record_that_is_read_again_has_a_span_again() -> None:
    """Each reading ends with one span, and nothing is kept of records that are done."""
    from stream.spans import RecordSpans  # noqa: PLC0415 - the mutant's, if there is one

    spans = Spans(ratio=0)
    found = RecordSpans(spans.provider)
    for _ in range(2):
        found.read([_record(_SAMPLED)])
        found.acked([], [_rejected()])
        found.acked([], [_rejected()])
    assert len(spans.ended()) == 2


def test_records_that_are_never_acked_do_not_end_the_tracing() -> None:
    """The oldest of too many traced records are forgotten, as those of a partition that was taken away."""
    spans = import_module("stream.spans")  # the mutant's, if there is one
    found = spans.RecordSpans(Spans().provider)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spans, "_MOST", 3)
        found.read([_record(_SAMPLED, offset=at) for at in range(5)])
    assert [origin.offset for origin in found._began] == [2, 3, 4]


def _rejected() -> Rejected:
    return Rejected(_record(_SAMPLED), "decode", "bad_json", "reason")


@pytest.mark.parametrize("name", _MUTANTS)
def test_the_tests_fail_on_a_mutant(name: str) -> None:
    """Each rule of the spans has a test that fails without it."""
    code, fault, test = _MUTANTS[name]
    with mutant("stream", "spans", code, fault, test) as run, pytest.raises(AssertionError):
        run()
