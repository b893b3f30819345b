"""Topics read from start to end, outside any consumer group, by the commands that compare or rebuild."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

from connectors.kafka.admin import open_cluster
from connectors.kafka.dead_letters import HEADER_PREFIX, parse_origin
from connectors.kafka.lag import PartitionLag
from connectors.kafka.reader import read_topic
from core.errors import FatalError
from core.provenance import LogIdentity
from core.records import Record
from core.settings import Settings
from maintenance.fold import Fold, Position
from maintenance.replay import text_of
from operators.decode import decode


class Offsets(Protocol):
    """The part of `connectors.kafka.admin.Cluster` that a log needs."""

    def lag(self, topic: str, group: str) -> Sequence[PartitionLag]:
        """Start, end and committed offset of each partition."""
        ...

    def options(self, topic: str) -> Mapping[str, str]:
        """The options of a topic; empty if the broker hides them."""
        ...

    def identify(self, topic: str) -> LogIdentity:
        """The identity of a topic in its cluster."""
        ...


class TopicLog:
    """A topic, read outside any consumer group."""

    def __init__(self, settings: Settings, offsets: Offsets, *, topic: str, partitions: Mapping[str, int]) -> None:
        """Read `topic`; `partitions` has the number of its partitions and of the dead-letter topic's, by name."""
        self.settings = settings
        self.offsets = offsets
        self.topic = topic
        self.partitions = partitions

    def records(self, start: Mapping[int, int] | None = None) -> Iterator[Record]:
        """The records from `start` (partition to offset) to the end that the topic has when the reader gets there."""
        return read_topic(self.settings.kafka, self.topic, partitions=self.partitions[self.topic], start=start)

    def expired(self) -> int:
        """Number of offsets before its present start, whose records retention has deleted."""
        return sum(lag.start for lag in self.offsets.lag(self.topic, self.settings.kafka.group))

    def compacted(self) -> bool:
        """Whether the broker deletes earlier records of a key."""
        return "compact" in self.offsets.options(self.topic).get("cleanup.policy", "")

    def length(self) -> int:
        """Approximate number of records; compacted and expired ones may count too."""
        return sum(lag.end - lag.start for lag in self.offsets.lag(self.topic, self.settings.kafka.group))


class LogWatch:
    """Checks that a log was neither replaced nor trimmed while it was read."""

    def __init__(self, log: TopicLog) -> None:
        """Begin before `log` is read.

        Raises:
            UnavailableError: no broker answers, or the topic is missing.
        """
        self._log = log
        self._identity = log.offsets.identify(log.topic)

    def require_same(self, *, expired: int | None = None) -> None:
        """Check that the topic wasn't created again, and that no more records than `expired` have expired.

        Raises:
            FatalError: the topic was created again, or more have expired.
            UnavailableError: no broker answers, or the topic is missing.
        """
        topic = self._log.topic
        if self._identity.contradiction(self._log.offsets.identify(topic)) is not None:
            raise FatalError(
                f"{topic} was deleted and created again while it was read; the index is unchanged, so run the command "
                "again"
            )
        if expired is not None and (now := self._log.expired()) > expired:
            raise FatalError(
                f"{now - expired:,} record(s) of {topic} expired while it was read; the index is unchanged. Keep them "
                "for longer (retention.ms), and run the command again"
            )


class RawLog(TopicLog):
    """`tickets.raw` of a stream in one process."""

    def __init__(self, settings: Settings, offsets: Offsets, *, partitions: Mapping[str, int]) -> None:
        """See `TopicLog`."""
        super().__init__(settings, offsets, topic=settings.topics.raw, partitions=partitions)
        self._letters_read: dict[int, int] = {}

    def fold(self) -> Fold:
        """An empty fold."""
        return Fold(decode=partial(decode, settings=self.settings.contract))

    def committed(self) -> dict[int, int]:
        """Offsets that the worker's group has committed, by partition. A partition without a commit is left out."""
        return self.committed_by(self.settings.kafka.group)

    def committed_by(self, group: str) -> dict[int, int]:
        """Offsets that `group` has committed, by partition. A partition without a commit is left out."""
        lags = self.offsets.lag(self.topic, group)
        return {lag.partition: lag.committed for lag in lags if lag.committed is not None}

    def dead_lettered(self) -> Iterator[Position]:
        """Positions of records that steps after decode dead-lettered, and of batches that workers couldn't read.

        A second call returns only new ones.
        """
        dlq = self.settings.topics.dlq
        letters = read_topic(self.settings.kafka, dlq, partitions=self.partitions[dlq], start=dict(self._letters_read))
        for letter in letters:
            self._letters_read[letter.origin.partition] = letter.next_offset
            headers = {name.removeprefix(HEADER_PREFIX): value or b"" for name, value in letter.headers}
            if headers.get("stage", b"decode") != b"decode" or headers.get("lost") == b"record":
                found = self.raw_position(letter, headers)
                if found is not None:
                    yield found

    def raw_position(self, letter: Record, headers: Mapping[str, bytes]) -> Position | None:
        """Position of a dead letter's event in the raw topic, or None if the letter is from another topic.

        `headers` are the letter's, by name without the prefix.
        """
        del letter
        topic, partition, offset = (headers.get(name, b"") for name in ("topic", "partition", "offset"))
        origin = parse_origin(f"{text_of(topic)}[{text_of(partition)}]:{text_of(offset)}")
        return (origin.partition, origin.offset) if origin is not None and origin.topic == self.topic else None


def open_raw_log(settings: Settings) -> RawLog:
    """`tickets.raw` of a stream in one process.

    Raises:
        UnavailableError: no broker answers, or a topic is missing.
    """
    cluster = open_cluster(settings.kafka)
    return RawLog(settings, cluster, partitions=cluster.require_topics([settings.topics.raw, settings.topics.dlq]))
