"""An outage of the index longer than max.poll.interval.ms: polls continue, and no record is skipped."""

import time
from collections.abc import Iterable
from typing import Final, cast

import pytest
from confluent_kafka import Consumer, TopicPartition

from connectors.kafka.assignment import Assignment
from connectors.kafka.consumer import GroupConsumer
from core.errors import TransientError
from core.records import Batch, Item, Rejected, TicketPoints, record_of
from core.settings import WriterSettings
from delivery.credits import Credits
from delivery.offsets import OffsetTracker
from stream.progress import Progress
from stream.sinks import INDEX, OpenSink
from stream.telemetry import StreamTelemetry
from stream.writer import Writer
from tests.connectors.kafka.fake_client import POLL_INTERVAL_S, FakeClient, open_fake
from tests.fakes import FakeDeadLetters, FakeIndex, dependencies, points
from tests.rigs.waiting import PATIENCE_S, wait_until

_WRITING: Final = WriterSettings(backoff_max_s=0.002, max_batch_records=10, max_batch_delay_ms=1, drain_timeout_s=2)


class _Stream:
    """A consumer over the fake client, and a writer over an index that is out until `out` is False."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, broken: type | None = None) -> None:
        self.now = [1_000.0]
        self.client = FakeClient(self.now)
        self.credits = Credits(tickets=25, bytes_=10**9)
        self.consumer = open_fake(monkeypatch, self.client, limits=_WRITING, credits_=self.credits, broken=broken)
        self.out = True
        self.seen: list[int] = []
        telemetry, progress = StreamTelemetry(), Progress(max_stall_s=60)
        self.writer = Writer(
            finish=self._finish,
            sinks=[OpenSink(INDEX, FakeIndex(lambda _call: TransientError("index out") if self.out else None))],
            dead_letters=FakeDeadLetters(),
            dependencies=dependencies(_WRITING, telemetry, progress),
            ack=self.consumer.ack,
            settings=_WRITING,
            telemetry=telemetry,
            progress=progress,
        )

    def _finish(self, batch: Batch[Item]) -> Batch[TicketPoints | Rejected]:
        return Batch(tuple(points(str(record_of(item).origin.offset)) for item in batch.items), batch.receipt)

    def poll(self) -> None:
        batch = self.consumer.poll()
        if batch is not None:
            self.seen += [item.origin.offset for item in batch.items]
            self.writer.submit(batch)

    def survives(self) -> bool:
        """Whether the member survives an outage of three intervals, polling every 20 s, and skips nothing."""
        for _ in range(3 * int(POLL_INTERVAL_S) // 20):
            self.poll()
            self.now[0] += 20
        paused, in_flight = self.client.paused, len(self.seen)
        self.out = False
        deadline = time.monotonic() + PATIENCE_S
        while self.client.committed < 100 and time.monotonic() < deadline:
            self.now[0] += 1
            self.poll()
        self.writer.close()
        whole = self.seen == list(range(len(self.seen))) and len(self.seen) >= 100
        return paused and in_flight < 45 and not self.client.evicted and not self.client.paused and whole


def test_an_outage_longer_than_the_poll_interval_costs_no_membership_and_no_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """During the outage the member polls while paused, within its credits; afterwards each offset arrives once."""
    assert _Stream(monkeypatch).survives()


class _Asleep(GroupConsumer):
    """Mutant: waits for credits without polling."""

    def _keep_alive_while_full(self) -> None:
        pass


class _Drops(GroupConsumer):
    """Mutant: drops the record that a paused client still returns."""

    def _keep_alive_while_full(self) -> None:
        super()._keep_alive_while_full()
        self._carried.clear()


class _NeverPauses(Assignment):
    """Mutant: polls without pausing, and so reads more than its credits allow."""

    def pause(self, *, paused: bool) -> None:
        pass


@pytest.mark.parametrize("broken", [_Asleep, _Drops, _NeverPauses])
def test_each_broken_consumer_is_caught(monkeypatch: pytest.MonkeyPatch, broken: type) -> None:
    """Each mutant is evicted, skips a record, or reads without bound."""
    assert not _Stream(monkeypatch, broken).survives()


# --- partitions that are lost or revoked while paused


def _full(monkeypatch: pytest.MonkeyPatch, broken: type | None = None) -> _Stream:
    """A stream that has paused during an outage of the index."""
    stream = _Stream(monkeypatch, broken)
    while not stream.client.paused:
        stream.poll()
        stream.now[0] += 1
    return stream


def _reads_again(stream: _Stream) -> bool:
    """Whether a partition that was lost while paused is read again after it was reassigned."""
    stream.client.callbacks.append(stream.client.lose)
    stream.poll()
    stream.out = False
    wait_until(lambda: not stream.credits.tickets)
    stream.poll()
    stream.client.callbacks.append(stream.client.assign)
    before = len(stream.seen)
    for _ in range(20):
        stream.poll()
    stream.writer.close()
    return len(stream.seen) > before


class _StaysPaused(Assignment):
    """Mutant: doesn't resume reassigned partitions."""

    def _on_assign(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        fake = cast("FakeClient", client)
        paused = fake.paused
        super()._on_assign(client, partitions)
        fake.paused = paused


def test_a_partition_lost_while_paused_is_resumed_when_reassigned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reassigned partition is resumed, although the client kept it paused."""
    assert _reads_again(_full(monkeypatch))


def test_a_partition_that_stays_paused_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that doesn't resume a reassigned partition never reads it again."""
    assert not _reads_again(_full(monkeypatch, _StaysPaused))


@pytest.mark.parametrize(("since_s", "most_s"), [(None, 1.0), (-1.5, 0.5), (-60, 0.0)])
def test_a_revocation_waits_within_the_drain_timeout(
    monkeypatch: pytest.MonkeyPatch, since_s: float | None, most_s: float
) -> None:
    """A revocation waits for half the drain timeout, and no longer than the rest of a drain that has begun."""
    stream = _full(monkeypatch)
    if since_s is not None:
        stream.consumer.stop(since=stream.now[0] + since_s)
    tracker, waits = stream.consumer._tracker, list[float]()

    def wait(partitions: Iterable[tuple[str, int]], timeout_s: float) -> bool:
        waits.append(timeout_s)
        return OffsetTracker.wait_drained(tracker, partitions, 0)

    monkeypatch.setattr(tracker, "wait_drained", wait)
    stream.client.revoke()
    assert waits == [pytest.approx(most_s)]
    stream.writer.close()
