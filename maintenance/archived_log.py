"""tickets.raw as the archive holds it, and the topic after that: what `rebuild --from archive` reads."""

from collections.abc import Iterator, Mapping

from archive.generation import Generation, Held
from archive.layout import generation_of
from connectors.archive_store.open import open_archive
from connectors.kafka.admin import open_cluster
from core.errors import ConfigError
from core.records import Record
from core.settings import Settings
from maintenance.log import Offsets, RawLog


class ArchivedLog(RawLog):
    """Each partition's archived records, then those of the topic from the last archived offset on."""

    def __init__(
        self,
        settings: Settings,
        offsets: Offsets,
        *,
        partitions: Mapping[str, int],
        generation: Generation,
        held: Mapping[int, Held],
    ) -> None:
        """`held`: the files of each archived partition; see `RawLog` for the rest."""
        super().__init__(settings, offsets, partitions=partitions)
        self._generation = generation
        self._held = held

    def records(self, start: Mapping[int, int] | None = None) -> Iterator[Record]:
        """See `TopicLog`.

        Raises:
            DamagedError: a file of the archive is missing or damaged.
            CutLogError: the topic ends before the archive does.
        """
        begin = start or {}
        for number, held in self._held.items():
            if begin.get(number, 0) < held.next:
                yield from self._generation.records(number, held.entries, start=begin.get(number, 0))
        topic = {number: max(held.next, begin.get(number, 0)) for number, held in self._held.items()}
        yield from super().records({**begin, **topic})

    def expired(self) -> int:
        """Number of offsets that neither the archive nor the topic has."""
        found = 0
        for lag in self.offsets.lag(self.topic, self.settings.kafka.group):
            held = self._held.get(lag.partition)
            found += lag.start if held is None else held.missing + max(0, lag.start - held.next)
        return found

    def length(self) -> int:
        """See `TopicLog`."""
        found = sum(held.records for held in self._held.values())
        for lag in self.offsets.lag(self.topic, self.settings.kafka.group):
            held = self._held.get(lag.partition)
            found += max(0, lag.end - max(lag.start, 0 if held is None else held.next))
        return found


def open_archived_log(settings: Settings) -> ArchivedLog:
    """The archive of tickets.raw, as the broker has the topic now, and the topic.

    Raises:
        ConfigError: the archive doesn't hold this topic.
        DamagedError: a file of the archive is missing, or a part of a manifest is damaged.
        UnavailableError: the archive or the broker is unavailable.
    """
    topic, store = settings.topics.raw, open_archive(settings.archive)
    cluster = open_cluster(settings.kafka)
    partitions = cluster.require_topics([topic, settings.topics.dlq])
    log = cluster.identify(topic)
    generation = Generation(store, generation_of(log), spool=settings.archive.spool_dir)
    held = {number: generation.held(number) for number in generation.partitions()}
    if not held:
        raise ConfigError(
            f"{store.where(generation.name)} has no files: the archive doesn't hold this cluster's topic {topic}; "
            "`ticketstream archive list` shows its contents"
        )
    return ArchivedLog(settings, cluster, partitions=partitions, generation=generation, held=held)
