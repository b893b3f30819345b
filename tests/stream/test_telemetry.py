"""The metrics of a pipeline, as /metrics exposes them."""

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from core.metrics import METRIC_NAMES, METRICS, PROCESS_METRICS
from core.records import Rejected, TicketPoints
from stream.telemetry import ConsumerTelemetry, StreamTelemetry
from tests.fakes import record


def test_every_documented_metric_is_exposed_and_no_other() -> None:
    """/metrics exposes the documented metrics, those of the process, and no other."""
    text = generate_latest(StreamTelemetry().registry).decode()
    shown = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in text_string_to_metric_families(text)
        if not family.name.endswith("_created")
    }
    assert shown == set(METRICS) | set(PROCESS_METRICS)
    assert set(METRICS) == set(METRIC_NAMES)


def test_freshness_counts_from_the_event_and_from_the_broker() -> None:
    """A ticket changed 2 s ago and written to the broker 1 s ago shows as 2 s and 1 s."""
    telemetry = StreamTelemetry()
    ticket = TicketPoints("acme", "1", 1, (), event_ms=8_000, broker_ms=9_000)
    telemetry.acked([ticket], [], outcome="indexed", now_ms=10_000)
    value = telemetry.registry.get_sample_value
    assert value("tickets_freshness_seconds_sum", {"since": "event"}) == 2
    assert value("tickets_freshness_seconds_sum", {"since": "broker"}) == 1
    assert telemetry.freshness_s() == 1


def test_a_clock_ahead_of_ours_counts_as_fresh() -> None:
    """A broker clock ahead of ours gives a freshness of 0, not a negative one."""
    telemetry = StreamTelemetry()
    telemetry.acked([TicketPoints("acme", "1", 1, (), broker_ms=99_000)], [], outcome="indexed", now_ms=10_000)
    assert telemetry.freshness_s() == 0


@pytest.mark.parametrize("broker_ms", [-1, 0, -(2**63)])
def test_a_record_without_a_time_has_no_freshness(broker_ms: int) -> None:
    """A record of 1970 would raise the freshness by decades, and an alert."""
    telemetry = StreamTelemetry()
    telemetry.acked([TicketPoints("acme", "1", 1, (), broker_ms=broker_ms)], [], outcome="indexed", now_ms=10_000)
    assert telemetry.freshness_s() is None
    assert telemetry.newest_ms is None


def test_rejects_are_counted_by_stage_and_code() -> None:
    """Rejected records are counted by stage and code, never by reason."""
    telemetry = StreamTelemetry()
    telemetry.acked([], [Rejected(record(), "decode", "bad_json", "a long sentence")], outcome="indexed", now_ms=0)
    value = telemetry.registry.get_sample_value
    assert value("tickets_rejected_total", {"stage": "decode", "code": "bad_json"}) == 1
    assert value("tickets_acked_total", {"outcome": "dead_letter"}) == 1


def test_the_lag_of_a_revoked_partition_disappears() -> None:
    """A task stops reporting the lag of a partition that was revoked, as another task reports it."""
    telemetry = StreamTelemetry()
    observer = ConsumerTelemetry(telemetry, topic="tickets.raw", on_poll=lambda: None)
    labels = {"topic": "tickets.raw", "partition": "3"}
    observer.lag("tickets.raw", 3, 17)
    assert telemetry.registry.get_sample_value("tickets_committed_lag", labels) == 17
    observer.lag("tickets.raw", 3, None)
    assert telemetry.registry.get_sample_value("tickets_committed_lag", labels) is None
    observer.lag("tickets.raw", 3, None)


def test_a_task_without_partitions_warns_once(caplog: pytest.LogCaptureFixture) -> None:
    """A task without a partition for a while logs it once, and does not during a rebalance."""
    now = [0.0]
    observer = ConsumerTelemetry(StreamTelemetry(), topic="tickets.raw", on_poll=lambda: None, clock=lambda: now[0])
    observer.rebalanced("assign", 0)
    now[0] = 5.0
    observer.polled()
    observer.rebalanced("assign", 2)
    now[0] = 60.0
    observer.polled()
    assert not caplog.messages
    observer.rebalanced("revoke", 0)
    for now[0] in (70.0, 81.0, 90.0):
        observer.polled()
    (message,) = caplog.messages
    assert "more tasks than partitions" in message
