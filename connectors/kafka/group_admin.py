"""Administration of consumer groups: reads their offsets, and resets them."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # exported, not declared

from connectors.kafka.clients import open_client
from connectors.kafka.history import CommitNote, parse_note
from connectors.kafka.lag import PartitionLag
from connectors.kafka.options import client_options
from core.errors import UnavailableError
from core.settings import KafkaSettings

T = TypeVar("T")

_POLL_S: Final = 0.5
#: Retryable: the group's coordinator is starting, or a new topic hasn't reached the broker yet.
_SOON: Final = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}
#: Errors of a commit from outside while the group has members.
_HAS_MEMBERS: Final = {
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.STALE_MEMBER_EPOCH,
}


class GroupAdmin:
    """Reads and resets the offsets of groups, and joins none of them."""

    def __init__(self, admin: AdminClient, settings: KafkaSettings) -> None:
        """Ask for the log's offsets through `admin`, and for a group's through a client of its own."""
        self._admin = admin
        self._settings = settings
        self._members: dict[str, Consumer] = {}

    def lag(self, topic: str, group: str, *, partitions: int, topic_id: str | None = None) -> list[PartitionLag]:
        """Committed and end offsets of every partition of `topic`, which has `partitions` and this id, if known.

        Raises:
            UnavailableError: no broker answers, or it hides the group.
        """
        asked = [TopicPartition(topic, n) for n in range(partitions)]
        timeout = self._settings.startup_timeout_s
        try:
            found = self._retry(lambda: self._member(group).committed(asked, timeout))
            notes = {p.partition: parse_note(p.metadata) for p in found}
            own = [p for p in found if not notes[p.partition].contradicts(topic_id)]
            committed = {p.partition: p.offset for p in own}
            ends = self._offsets(asked, OffsetSpec.latest())  # type: ignore[no-untyped-call]
            starts = self._offsets(asked, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        except KafkaException as error:
            if self._is_denied(group, error.args[0]):
                hidden = f"the broker at {self._settings.brokers} doesn't let us see group {group}"
                raise UnavailableError(f"{hidden}; grant our user read access to it") from None
            raise UnavailableError(f"reading offsets of {topic}: {error.args[0].str()}") from None
        except TimeoutError:
            raise UnavailableError(f"reading offsets of {topic}: no answer in {timeout:.0f} s") from None
        return [
            PartitionLag(
                topic,
                n,
                known if (known := committed.get(n, -1)) >= 0 else None,
                starts[n],
                ends[n],
                (note := notes[n] if n in committed else CommitNote()).expired,
                note.topic_id,
            )
            for n in sorted(ends)
        ]

    def rewind(
        self, lags: Sequence[PartitionLag], group: str, offsets: Mapping[int, int], *, patience_s: float
    ) -> None:
        """Commit `offsets`, by partition, for a group without members; wait for `patience_s` until the last has left.

        The notes of the earlier commits, which `lags` has, are kept.

        Raises:
            UnavailableError: the group has members, or no broker answers.
        """
        known = {lag.partition: lag for lag in lags}
        wanted = [
            TopicPartition(known[n].topic, n, offset, CommitNote(known[n].topic_id, known[n].noted).text())
            for n, offset in offsets.items()
        ]
        deadline = time.monotonic() + patience_s
        while True:
            try:
                self._member(group).commit(offsets=wanted, asynchronous=False)
            except KafkaException as error:
                fault = error.args[0]
                if fault.code() not in _HAS_MEMBERS or time.monotonic() > deadline:
                    raise UnavailableError(
                        f"the offsets of group {group} can't be reset ({fault.str()}); stop all of its "
                        f"workers, and start again"
                    ) from None
                time.sleep(_POLL_S)
            else:
                return

    def _retry(self, ask: Callable[[], T]) -> T:
        """Repeat a request while a coordinator starts, or a new topic spreads."""
        deadline = time.monotonic() + self._settings.startup_timeout_s
        while True:
            try:
                return ask()
            except KafkaException as error:
                if error.args[0].code() not in _SOON or time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_S)

    def _is_denied(self, group: str, error: KafkaError) -> bool:
        """Whether we may not see the group: a request for its offsets then only times out, and a poll tells why."""
        message = self._member(group).poll(0)
        faults = (error, None if message is None else message.error())
        return any(fault is not None and fault.code() == KafkaError.GROUP_AUTHORIZATION_FAILED for fault in faults)

    def _member(self, group: str) -> Consumer:
        """A client that reads the group's offsets and never joins it.

        AdminClient.list_consumer_group_offsets crashes the process in librdkafka 2.16 if the coordinator has just died:
        its error handling assumes a group member, which an AdminClient is not.
        """
        if group not in self._members:
            options = {**client_options(self._settings), "group.id": group, "enable.auto.commit": False}
            self._members[group] = open_client(Consumer, options)
        return self._members[group]

    def _offsets(self, partitions: list[TopicPartition], spec: OffsetSpec) -> dict[int, int]:
        def ask() -> dict[int, int]:
            futures = self._admin.list_offsets(dict.fromkeys(partitions, spec))
            timeout = self._settings.startup_timeout_s
            return {partition.partition: future.result(timeout).offset for partition, future in futures.items()}

        return self._retry(ask)
