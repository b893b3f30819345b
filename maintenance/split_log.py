"""The log as two stages read it, for the commands that compare or rebuild."""

import time
from collections.abc import Mapping
from typing import Final

from connectors.kafka.admin import Cluster
from core.errors import ConfigError, UnavailableError
from core.records import Record
from core.settings import Settings
from core.wire import MODEL, read_embedded, read_enriched
from maintenance.fold import Fold, Place
from maintenance.log import Log, TopicLog
from operators.receive import receive_embedded
from stream.roles import EMBEDDING, ENRICHMENT

_POLL_S: Final = 0.5
#: The second stage may stand still for so long before it counts as stuck.
_PATIENCE_S: Final = 30.0


class SplitLog(Log):
    """`tickets.raw` with two stages after it."""

    def committed(self) -> dict[int, int]:
        """What the first stage had committed, once the second has caught up with what the first had written by then.

        Raises:
            UnavailableError: the second stage stands still, behind.
        """
        kafka, topic = self.settings.kafka, self.settings.topics.enriched
        committed = self.committed_by(ENRICHMENT.group(kafka))
        ends = {lag.partition: lag.end for lag in self.cluster.lag(topic, EMBEDDING.group(kafka))}
        least, moved = None, time.monotonic()
        while left := _behind(self.cluster, topic, EMBEDDING.group(kafka), ends):
            if least is None or left < least:
                least, moved = left, time.monotonic()
            if time.monotonic() - moved > _PATIENCE_S:
                raise UnavailableError(
                    f"group {EMBEDDING.group(kafka)} stands still {left:,} records behind in {topic}: what it has "
                    "not indexed can't be told from what is lost; start the embedding stage, and compare again"
                )
            time.sleep(_POLL_S)
        return committed

    def place_of(self, letter: Record, about: Mapping[str, bytes]) -> Place | None:
        """See `Log`; a letter of the second stage holds its event's place."""
        if about.get("topic") != self.settings.topics.enriched.encode():
            return super().place_of(letter, about)
        try:
            source = read_enriched(letter).ticket.raw.origin
        except ValueError:
            return None
        return source.partition, source.offset


class EmbeddedLog(TopicLog):
    """`tickets.embedded`: everything an index needs."""

    def __init__(self, settings: Settings) -> None:
        """Ask for its partitions.

        Raises:
            UnavailableError: no broker answers, or a topic is missing.
            ConfigError: its first records have expired.
        """
        super().__init__(settings, settings.topics.embedded)
        gone = sum(lag.start for lag in self.cluster.lag(self.topic, settings.kafka.group))
        if gone:
            raise ConfigError(
                f"the first {gone:,} records of {self.topic} have expired, so it doesn't hold every ticket; rebuild "
                f"from {settings.topics.raw}"
            )

    def fold(self) -> Fold:
        """An empty fold."""
        return Fold(decode=receive_embedded)

    def model_of(self, fold: Fold) -> tuple[str, int]:
        """Stamp and dimension of the vectors of all that wins in `fold`.

        Raises:
            ConfigError: nothing has vectors, or not all were made by one model.
        """
        found: dict[str, int] = {}
        for record in self.records():
            stamp = dict(record.headers).get(MODEL, b"").decode(errors="replace")
            if stamp not in found and fold.wins(record) and (points := read_embedded(record).points):
                vector = points[0].vector
                assert vector is not None  # noqa: S101 - for mypy: the wire format has a vector for each
                found[stamp] = len(vector)
        if not found:
            raise ConfigError(f"{self.topic} holds no vectors; rebuild from {self.settings.topics.raw}")
        if len(found) > 1:
            raise ConfigError(
                f"{self.topic} holds latest versions of {len(found)} models ({', '.join(sorted(found))}); their "
                f"vectors can't meet in one index; rebuild from {self.settings.topics.raw}"
            )
        return next(iter(found.items()))


def _behind(cluster: Cluster, topic: str, group: str, ends: Mapping[int, int]) -> int:
    """Records before `ends` that `group` has not committed."""
    lags = cluster.lag(topic, group)
    return sum(max(0, ends.get(lag.partition, 0) - max(lag.start, lag.committed or 0)) for lag in lags if lag.lag)
