"""The wrapper around every operator."""

from collections.abc import Sequence

import pytest
from msgspec import structs

from core.errors import FatalError, TransientError
from core.records import Batch, EnrichedTicket, Item, Rejected, Ticket
from core.settings import WriterSettings
from stream.progress import Progress
from stream.steps import Step, run_step, run_steps
from stream.telemetry import StreamTelemetry
from tests.fakes import dependencies, receipt, record


def _batch(*items: Item) -> Batch[Item]:
    return Batch(items, receipt("receipt"))


def test_rejected_records_stay_in_their_place() -> None:
    """An item that an earlier step rejected is not passed to the operator, and keeps its place."""
    bad = Rejected(record(1), "decode", "bad_json", "reason")
    first, second = (Ticket(record(n), "acme", str(n), 1, None) for n in (0, 2))
    seen: list[Ticket] = []

    def newer(items: Sequence[Ticket]) -> list[Ticket]:
        seen.extend(items)
        return [structs.replace(item, version=2) for item in items]

    done = run_step(Step("newer", "enrich", newer), _batch(first, bad, second), StreamTelemetry())
    assert done.items == (structs.replace(first, version=2), bad, structs.replace(second, version=2))
    assert done.receipt == receipt("receipt")
    assert seen == [first, second]


def test_a_batch_of_rejected_records_runs_nothing() -> None:
    """An operator is not called for a batch that has only rejected records."""
    bad = Rejected(record(1), "decode", "bad_json", "reason")
    step = Step("never", "enrich", lambda _items: pytest.fail("called"))
    assert run_step(step, _batch(bad), StreamTelemetry()).items == (bad,)


def test_one_record_that_breaks_a_pure_operator_is_rejected_alone() -> None:
    """A crash on one record rejects that record alone, with a reason that quotes no text."""

    def fragile(items: Sequence[Ticket]) -> list[Ticket]:
        if any(item.ticket_id == "2" for item in items):
            raise ValueError("the secret text")
        return list(items)

    tickets = [Ticket(record(n), "acme", str(n), 1, None) for n in range(4)]
    done = run_step(Step("fragile", "enrich", fragile), _batch(*tickets), StreamTelemetry()).items
    assert [isinstance(item, Rejected) for item in done] == [False, False, True, False]
    assert isinstance(done[2], Rejected)
    assert done[2].record is tickets[2].record
    assert (done[2].stage, done[2].code) == ("enrich", "fault")
    assert "secret" not in done[2].reason


def test_a_fault_of_a_step_with_io_stops_the_stream() -> None:
    """An exception in a step that does I/O stops the stream, and rejects no record."""

    def broken(_items: Sequence[Item]) -> list[Item]:
        raise RuntimeError

    with pytest.raises(FatalError, match="embed failed: RuntimeError"):
        run_step(Step("embed", "embed", broken, pure=False), _batch(record()), StreamTelemetry())


def test_an_outage_passes_through() -> None:
    """A TransientError passes through the wrapper unchanged."""

    def out(_items: Sequence[Item]) -> list[Item]:
        raise TransientError("directory out")

    with pytest.raises(TransientError):
        run_step(Step("enrich", "enrich", out), _batch(record()), StreamTelemetry())


def test_an_operator_that_loses_a_record_stops_the_stream() -> None:
    """An operator that returns fewer items than it was given stops the stream, as the lost one would be acked."""
    with pytest.raises(FatalError, match="1 results for 2 records"):
        run_step(Step("lossy", "enrich", lambda items: items[:1]), _batch(record(0), record(1)), StreamTelemetry())


def test_what_a_step_leaves_out_is_counted() -> None:
    """The metric counts items that a step cut from a batch's tickets, under the step's label."""
    telemetry = StreamTelemetry()
    tickets = [EnrichedTicket(Ticket(record(n), "acme", str(n), 1, None)) for n in range(3)]

    def losing(items: Sequence[EnrichedTicket]) -> list[EnrichedTicket]:
        return [structs.replace(item, left_out=number) for number, item in enumerate(items)]

    run_step(Step("chunk", "enrich", losing, leaves_out="passages"), _batch(*tickets), telemetry)
    assert telemetry.registry.get_sample_value("tickets_left_out_total", {"what": "passages"}) == 3


@pytest.mark.parametrize(("whole", "wanted"), [(True, [3, 3]), (False, [1, 1, 1, 1])])
def test_an_outage_is_retried_for_the_batch_or_for_one_record(whole: bool, wanted: list[int]) -> None:
    """A step that is retried as a whole repeats its batch after an outage, any other only the record that failed."""
    sizes: list[int] = []

    def flaky(items: Sequence[Ticket]) -> list[Ticket]:
        sizes.append(len(items))
        if len(sizes) == 1:
            raise TransientError("out")
        return list(items)

    step = Step("flaky", "embed", flaky, pure=False, calls="model", whole=whole)
    telemetry = StreamTelemetry()
    called = dependencies(WriterSettings(backoff_max_s=0.001), telemetry, Progress(max_stall_s=60), lookups=["model"])
    batch = _batch(*(Ticket(record(n), "acme", str(n), 1, None) for n in range(3)))
    assert run_steps([step], batch, telemetry=telemetry, dependencies=called) == batch
    assert sizes == wanted
