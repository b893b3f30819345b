"""Opens a sender of Kafka records."""

from contextlib import ExitStack

from connectors.kafka import producer
from connectors.kafka.producer import Sender
from core.settings import KafkaSettings


def open_sender(settings: KafkaSettings, stack: ExitStack, *, compress: bool = False) -> Sender:
    """A sender with a connection of its own. With `compress` its batches are compressed.

    Raises:
        ConfigError: the security settings contradict each other, or one of their files is invalid.
    """
    sender = producer.open_sender(settings, compress=compress)
    stack.callback(sender.close)
    return sender
