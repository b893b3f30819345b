"""New topics for one test."""

from uuid import uuid4

from connectors.kafka.admin import open_cluster
from core.settings import KafkaSettings


def new_topic(brokers: str, *, partitions: int = 1, replication: int = 1, **config: str) -> str:
    """Create a topic with a unique name; options have underscores for dots."""
    name = f"topic-{uuid4().hex[:8]}"
    options = {option.replace("_", "."): value for option, value in config.items()}
    open_cluster(KafkaSettings(brokers=brokers)).create_topic(
        name, partitions=partitions, replication=replication, config=options
    )
    return name
