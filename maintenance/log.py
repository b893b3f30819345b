"""Topics read from start to end, outside any group, for the commands that fold them."""

from collections.abc import Iterator, Mapping
from functools import partial

from connectors.kafka.admin import open_cluster
from connectors.kafka.dead_letters import HEADER_PREFIX
from connectors.kafka.reader import read_topic
from core.records import Record
from core.settings import Settings
from maintenance.fold import Fold, Place
from operators.decode import decode


class TopicLog:
    """A topic, read outside any group."""

    def __init__(self, settings: Settings, topic: str) -> None:
        """Ask for its partitions.

        Raises:
            UnavailableError: no broker answers, or a topic is missing.
        """
        self.topic = topic
        self.settings = settings
        self.cluster = open_cluster(settings.kafka)
        self.partitions = self.cluster.require_topics([topic, settings.topics.dlq])

    def records(self, start: Mapping[int, int] | None = None) -> Iterator[Record]:
        """From `start`, by partition, to the end as it is when it is reached."""
        return read_topic(self.settings.kafka, self.topic, partitions=self.partitions[self.topic], start=start)

    def length(self) -> int:
        """Records it holds, about: compacted or expired ones may count too."""
        return sum(lag.end - lag.start for lag in self.cluster.lag(self.topic, self.settings.kafka.group))


class Log(TopicLog):
    """`tickets.raw`, as one process from there to the index reads it."""

    def __init__(self, settings: Settings) -> None:
        """See `TopicLog`."""
        super().__init__(settings, settings.topics.raw)
        self._letters_read: dict[int, int] = {}

    def fold(self) -> Fold:
        """An empty fold."""
        return Fold(decode=partial(decode, settings=self.settings.contract))

    def committed(self) -> dict[int, int]:
        """Offsets that the worker's group has committed; partitions without are left out."""
        return self.committed_by(self.settings.kafka.group)

    def committed_by(self, group: str) -> dict[int, int]:
        """Offsets that `group` has committed; partitions without are left out."""
        lags = self.cluster.lag(self.topic, group)
        return {lag.partition: lag.committed for lag in lags if lag.committed is not None}

    def refused(self) -> Iterator[Place]:
        """Where the records lie that steps after decode have dead-lettered; again: those that have come since."""
        dlq = self.settings.topics.dlq
        letters = read_topic(self.settings.kafka, dlq, partitions=self.partitions[dlq], start=dict(self._letters_read))
        for letter in letters:
            self._letters_read[letter.origin.partition] = letter.origin.offset + 1
            about = {name.removeprefix(HEADER_PREFIX): value for name, value in letter.headers}
            if about.get("stage", b"decode") != b"decode":
                found = self.place_of(letter, about)
                if found is not None:
                    yield found

    def place_of(self, letter: Record, about: Mapping[str, bytes]) -> Place | None:
        """Where the event of a dead letter lies in the raw topic; None where it is of another one."""
        del letter
        partition, offset = about.get("partition", b""), about.get("offset", b"")
        if about.get("topic") != self.topic.encode() or not (partition.isdigit() and offset.isdigit()):
            return None
        return int(partition), int(offset)
