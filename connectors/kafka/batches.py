"""Checks whether a topic bounds the unpacked size of its batches.

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
#: The option's value that bounds batches.
UNCOMPRESSED: Final = "uncompressed"


def unbounded(options: Mapping[str, str]) -> bool:
    """Whether a topic with these options stores compressed batches. False if the broker hides the option."""
    return options.get(_OPTION, UNCOMPRESSED) != UNCOMPRESSED


def remedy(topic: str) -> str:
    """The command that bounds future batches of `topic`."""
    return f"kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config {_OPTION}={UNCOMPRESSED}"


def warn_if_unbounded(client: AdminClient, topic: str) -> None:
    """Log a warning if `topic` stores compressed batches. Never waits: the answer arrives on a thread of the client."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)

    def answered(answer: "Future[dict[str, ConfigEntry]]") -> None:
        try:
            options = {name: entry.value for name, entry in answer.result().items() if entry.value is not None}
        except (KafkaException, TimeoutError):  # not authorised, or no broker answers: the consumer reports that
            return
        if unbounded(options):
            logger.warning(
                "%s stores compressed batches, and a batch of a megabyte can take more than a gigabyte of "
                "memory; to bound new ones, run %s",
                topic,
                remedy(topic),
            )

    client.describe_configs([resource])[resource].add_done_callback(answered)
