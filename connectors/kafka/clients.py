"""Opens librdkafka clients; a configuration error becomes a one-line ConfigError."""

from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaException

from connectors.kafka.options import Options
from core.errors import ConfigError

Client = TypeVar("Client")


def open_client(kind: Callable[[Options], Client], options: Options) -> Client:
    """Open a client, which connects in the background.

    Raises:
        ConfigError: an option is unknown, or a certificate or key can't be read or decrypted.
    """
    try:
        return kind(options)
    except KafkaException as error:
        reason = " ".join(error.args[0].str().split())
        raise ConfigError(
            f"Kafka's client refuses its settings: {reason}; check TICKETS_KAFKA__SSL_* and TICKETS_KAFKA__EXTRA"
        ) from None
