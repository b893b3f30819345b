"""The topics of a split stream, for the commands that compare or rebuild."""

import time
from collections.abc import Iterator, Mapping
from typing import Final

from connectors.kafka.admin import open_cluster
from connectors.kafka.reader import ends_of, read_topic
from core.contract import record_key
from core.errors import ConfigError, UnavailableError
from core.records import Record, TicketPoints
from core.settings import Settings
from core.wire.embedded import MODEL, decode_embedded
from core.wire.enriched import decode_enriched
from maintenance.batches import next_batch
from maintenance.fold import Fold, Position
from maintenance.log import Offsets, RawLog, TopicLog
from operators.receive import receive_embedded
from stream.roles import EMBEDDING, ENRICHMENT

_POLL_S: Final = 0.5
#: Records read from the end of a partition to learn the kind of the workers' versions.
_SAMPLE: Final = 50
#: Seconds without a commit after which the embedding role counts as stopped.
_PATIENCE_S: Final = 30.0


class SplitLog(RawLog):
    """`tickets.raw` of a split stream."""

    def committed(self) -> dict[int, int]:
        """Wait until the embedding role has caught up, and return the enrichment role's earlier offsets.

        Raises:
            UnavailableError: the embedding role is behind and commits nothing.
        """
        topic, group = EMBEDDING.reads(self.settings.topics), EMBEDDING.group(self.settings.kafka)
        committed = self.committed_by(ENRICHMENT.group(self.settings.kafka))
        ends = {lag.partition: lag.end for lag in self.offsets.lag(topic, group)}
        least, moved = None, time.monotonic()
        while left := _behind(self.offsets, topic, group, ends):
            if least is None or left < least:
                least, moved = left, time.monotonic()
            if time.monotonic() - moved > _PATIENCE_S:
                raise UnavailableError(
                    f"group {group} is {left:,} records behind in {topic} and commits nothing, so tickets that "
                    f"it has not indexed yet would look lost; start the embedding role, and compare again"
                )
            time.sleep(_POLL_S)
        return committed

    def raw_position(self, letter: Record, headers: Mapping[str, bytes]) -> Position | None:
        """See `RawLog`. A dead letter of the embedding role has its event's position in its value."""
        if headers.get("topic") != self.settings.topics.enriched.encode():
            return super().raw_position(letter, headers)
        try:
            origin = decode_enriched(letter).ticket.raw.origin
        except ValueError:
            return None
        return origin.partition, origin.offset


class EmbeddedLog(TopicLog):
    """`tickets.embedded`, from which an index can be built."""

    def fold(self) -> Fold:
        """An empty fold."""
        return Fold(decode=receive_embedded)

    def model_of(self, fold: Fold) -> tuple[str, int]:
        """Stamp and dimension of the vectors of the latest tickets.

        Raises:
            ConfigError: none of them has vectors, or they were made by several models.
        """
        found: dict[str, int] = {}
        for record in self.records():
            stamp = (dict(record.headers).get(MODEL) or b"").decode(errors="replace")
            if stamp not in found and fold.is_latest(record) and (points := decode_embedded(record).points):
                vector = points[0].vector
                assert vector is not None  # noqa: S101 - for mypy: the wire format has a vector for each
                found[stamp] = len(vector)
        if not found:
            raise ConfigError(f"{self.topic} holds no vectors; rebuild from {self.settings.topics.raw}")
        if len(found) > 1:
            raise ConfigError(
                f"the latest tickets in {self.topic} have vectors of {len(found)} models ({', '.join(sorted(found))}), "
                f"which one index can't hold; rebuild from {self.settings.topics.raw}"
            )
        return next(iter(found.items()))


def sampled_versions(settings: Settings, fold: Fold) -> Iterator[tuple[int, int]]:
    """Versions of tickets in the fold and in the last records of `tickets.embedded`, if both have the ticket.

    Raises:
        UnavailableError: no broker answers.
    """
    topic = settings.topics.embedded
    partitions = open_cluster(settings.kafka).topics().get(topic, 0)
    ends = ends_of(settings.kafka, topic, range(partitions))
    start = {number: max(0, end - _SAMPLE) for number, end in ends.items()}
    records = read_topic(settings.kafka, topic, partitions=partitions, start=start)
    while batch := next_batch(records, _SAMPLE):
        for found in receive_embedded(batch):
            if isinstance(found, TicketPoints):
                entry = fold.tickets.get(record_key(found.tenant_id, found.ticket_id))
                if entry is not None:
                    yield entry.version, found.version


def open_split_log(settings: Settings) -> SplitLog:
    """`tickets.raw` of a split stream.

    Raises:
        UnavailableError: no broker answers, or a topic is missing.
    """
    cluster = open_cluster(settings.kafka)
    return SplitLog(settings, cluster, partitions=cluster.require_topics([settings.topics.raw, settings.topics.dlq]))


def open_embedded_log(settings: Settings) -> EmbeddedLog:
    """`tickets.embedded`, if it is complete.

    Raises:
        UnavailableError: no broker answers, or a topic is missing.
        ConfigError: its first records have expired.
    """
    cluster, topic = open_cluster(settings.kafka), settings.topics.embedded
    partitions = cluster.require_topics([topic, settings.topics.dlq])
    expired = sum(lag.start for lag in cluster.lag(topic, settings.kafka.group))
    if expired:
        raise ConfigError(
            f"the first {expired:,} records of {topic} have expired, so it doesn't hold every ticket; rebuild from "
            f"{settings.topics.raw}"
        )
    return EmbeddedLog(settings, cluster, topic=topic, partitions=partitions)


def _behind(offsets: Offsets, topic: str, group: str, ends: Mapping[int, int]) -> int:
    """Number of records before `ends` that `group` has not committed."""
    lags = offsets.lag(topic, group)
    return sum(max(0, ends.get(lag.partition, 0) - max(lag.start, lag.committed or 0)) for lag in lags if lag.lag)
