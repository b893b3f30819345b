"""A fake confluent_kafka Consumer that mimics the librdkafka behaviour we rely on."""

import time
from collections.abc import Callable
from typing import Final

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from connectors.kafka import consumer as module
from connectors.kafka.assignment import ConsumerObserver
from connectors.kafka.consumer import GroupConsumer, open_consumer
from connectors.kafka.options import Options
from core.settings import KafkaSettings, WriterSettings
from delivery.credits import Credits

TOPIC: Final = "tickets.raw"
POLL_INTERVAL_S: Final = 300.0


class FakeMessage:
    """A record of the only partition."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def error(self) -> KafkaError | None:
        return None

    def topic(self) -> str:
        return TOPIC

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return b"acme/1"

    def value(self) -> bytes:
        return b"{}"

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return 1, 0


class FakeClient:
    """An endless partition.

    Like librdkafka it leaves the group when it isn't polled for the interval, may return one prefetched message after a
    pause, and keeps a partition paused when it is lost.

    Attributes:
        refusals: error codes of the next commits.
        delays: durations of the next synchronous commits, in seconds.
        holds: asynchronous commits get no answer.
        unanswered: the offsets of those commits.
        broken: commits can't be sent.
        callbacks: called one by one inside the next calls of `consume`.
    """

    def __init__(self, clock: list[float]) -> None:
        self.clock = clock
        self.polled = clock[0]
        self.offset = 0
        self.paused = False
        self.late = 0
        self.evicted = False
        self.committed = 0
        self.commits = 0
        self.refusals: list[int] = []
        self.delays: list[float] = []
        self.holds = False
        self.broken = False
        self.leaves = 0
        self.unanswered: list[list[TopicPartition]] = []
        self.callbacks: list[Callable[[], None]] = []
        self.held: list[TopicPartition] = []

    def open(self, options: Options) -> "FakeClient":
        """Replaces the constructor of the class."""
        self._on_commit = options["on_commit"]
        return self

    def subscribe(
        self, _topics: list[str], *, on_assign: "Rebalanced", on_revoke: "Rebalanced", on_lost: "Rebalanced"
    ) -> None:
        self._on_assign = on_assign
        self._on_revoke = on_revoke
        self._on_lost = on_lost
        self._joined = False

    def consume(self, count: int, _timeout: float) -> list[FakeMessage]:
        self.evicted = self.evicted or self.clock[0] - self.polled > POLL_INTERVAL_S
        self.polled = self.clock[0]
        while self.unanswered and not self.holds:
            self.answer_first()
        if self.callbacks:
            self.callbacks.pop(0)()
            return []
        if not self._joined:
            self.assign()
            return []
        if self.paused:
            count = min(count, self.late)
            self.late -= count
        start, self.offset = self.offset, self.offset + count
        return [FakeMessage(offset) for offset in range(start, self.offset)]

    def answer_first(self) -> None:
        """Answer the oldest pending commit."""
        self._on_commit(*self._outcome(self.unanswered.pop(0)))

    def assign(self) -> None:
        """Assign the partition, from the committed offset."""
        self._joined, self.offset = True, self.committed
        self._on_assign(self, [TopicPartition(TOPIC, 0)])

    def lose(self) -> None:
        self._on_lost(self, list(self.held))

    def revoke(self) -> None:
        self._on_revoke(self, list(self.held))

    def assignment(self) -> list[TopicPartition]:
        return list(self.held)

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        self.held = list(partitions)

    def incremental_unassign(self, _partitions: list[TopicPartition]) -> None:
        self.held = []

    def pause(self, partitions: list[TopicPartition]) -> None:
        if partitions:
            self.paused, self.late = True, 1

    def resume(self, partitions: list[TopicPartition]) -> None:
        if partitions:
            self.paused = False

    def get_watermark_offsets(self, _partition: TopicPartition, *, cached: bool) -> tuple[int, int]:
        del cached
        return 0, self.offset

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        if self.broken:
            raise KafkaException(KafkaError(KafkaError._FAIL))
        self.commits += 1
        if asynchronous:
            self.unanswered.append(offsets)
            return offsets
        time.sleep(self.delays.pop(0) if self.delays else 0)
        error, offsets = self._outcome(offsets)
        if error is not None:
            raise KafkaException(error)
        return offsets

    def _outcome(self, offsets: list[TopicPartition]) -> tuple[KafkaError | None, list[TopicPartition]]:
        if self.refusals:
            return KafkaError(self.refusals.pop(0)), offsets
        self.committed = offsets[0].offset
        return None, offsets

    def close(self) -> None:
        self.leaves += 1


Rebalanced = Callable[[FakeClient, list[TopicPartition]], None]


def open_fake(
    monkeypatch: pytest.MonkeyPatch,
    client: FakeClient,
    *,
    limits: WriterSettings,
    credits_: Credits | None = None,
    commit_interval_s: float = 1,
    broken: type | None = None,
) -> GroupConsumer:
    """A consumer over `client`, on its clock. The mutant `broken` takes the place of the class that it derives from."""
    monkeypatch.setattr(module, "Consumer", client.open)
    if broken is not None:
        monkeypatch.setattr(module, broken.__mro__[1].__name__, broken)
    return open_consumer(
        topic=TOPIC,
        kafka=KafkaSettings(max_poll_interval_s=POLL_INTERVAL_S, commit_interval_s=commit_interval_s),
        limits=limits,
        credits_=credits_ or Credits(tickets=25, bytes_=10**9),
        observer=ConsumerObserver(),
        clock=lambda: client.clock[0],
    )
