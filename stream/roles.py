"""The roles of the stream: what a worker process reads and writes, in which consumer group (docs/roles.md)."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from core.settings import KafkaSettings
from core.topic_settings import TopicSettings


class Role(Struct, frozen=True):
    """A process of the stream.

    Attributes:
        name: its name in deployments, and the end of its consumer group's name unless it is the whole stream.
        port: its default health port.
        reads: picks the topic that it reads.
        writes: picks the topic that it writes, besides the dead letters; None if it writes only to the index.
        whole_stream: whether it is the whole stream, in the group of the settings.
    """

    name: str
    port: int
    reads: Callable[[TopicSettings], str]
    writes: Callable[[TopicSettings], str] | None = None
    whole_stream: bool = False

    def group(self, kafka: KafkaSettings) -> str:
        """Its consumer group. The roles of a split stream read different topics, so each has a group of its own."""
        return kafka.group if self.whole_stream else f"{kafka.group}-{self.name}"


#: The whole stream in one process.
PIPELINE: Final = Role("pipeline", 8080, reads=lambda topics: topics.raw, whole_stream=True)
#: The two roles of a split stream. Their ports differ, so that both can run on one host.
ENRICHMENT: Final = Role("enrichment", 8080, reads=lambda topics: topics.raw, writes=lambda topics: topics.enriched)
EMBEDDING: Final = Role("embedding", 8081, reads=lambda topics: topics.enriched, writes=lambda topics: topics.embedded)
#: Writes tickets.raw to the archive, beside either.
ARCHIVE: Final = Role("archive", 8086, reads=lambda topics: topics.raw)
