"""Making a client of librdkafka: what it refuses at once is a setting, and the line says so."""

from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaException

from connectors.kafka.options import Options
from core.errors import ConfigError

Client = TypeVar("Client")


def open_client(kind: Callable[[Options], Client], options: Options) -> Client:
    """A client of this kind; it connects later, by itself.

    Raises:
        ConfigError: an option is unknown, or a file of ours is no certificate, no key, or closed by another password.
    """
    try:
        return kind(options)
    except KafkaException as error:
        said = " ".join(error.args[0].str().split())
        raise ConfigError(
            f"Kafka's client refuses its settings: {said}; look at TICKETS_KAFKA__SSL_* and TICKETS_KAFKA__EXTRA"
        ) from None
