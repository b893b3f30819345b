"""Whether a topic's batches have a bound on what they unpack to.

The client unpacks a batch as a whole, and only for zstd does it have a limit (`receive.message.max.bytes`): a kilobyte
of hostile gzip becomes a megabyte. With compression.type=uncompressed the broker unpacks what producers send, and
refuses a batch that is larger than max.message.bytes then, so that a batch takes no more memory than its bytes.
"""

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported, not declared
    AdminClient,
    ConfigEntry,
    ConfigResource,
)

logger: Final = logging.getLogger("ticketstream.kafka")

_OPTION: Final = "compression.type"
#: The value under which batches are bounded.
UNCOMPRESSED: Final = "uncompressed"


def unbounded(options: Mapping[str, str]) -> bool:
    """Whether a topic of these options stores batches compressed. False if the broker doesn't tell the option."""
    return options.get(_OPTION, UNCOMPRESSED) != UNCOMPRESSED


def remedy(topic: str) -> str:
    """The command that bounds what is written to `topic` from now on."""
    return f"kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config {_OPTION}={UNCOMPRESSED}"


def warn_if_unbounded(client: AdminClient, topic: str) -> None:
    """Log a warning if `topic` stores batches compressed. Never waits: the answer arrives on a thread of the client."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)

    def answered(answer: "Future[dict[str, ConfigEntry]]") -> None:
        try:
            options = {name: entry.value for name, entry in answer.result().items() if entry.value is not None}
        except (KafkaException, TimeoutError):  # we may not see them, or no broker answers: the consumer says so
            return
        if unbounded(options):
            logger.warning(
                "%s stores compressed batches, and one of a megabyte can take more than a gigabyte of this process's "
                "memory; to bound new ones: %s",
                topic,
                remedy(topic),
            )

    client.describe_configs([resource])[resource].add_done_callback(answered)
