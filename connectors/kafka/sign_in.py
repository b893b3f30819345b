"""Tells whether a broker accepts credentials. Needs no numpy, which Lambda functions don't have."""

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from connectors.kafka.clients import open_client
from connectors.kafka.options import client_options
from core.settings import KafkaSettings


def broker_accepts(settings: KafkaSettings) -> bool:
    """Whether the cluster answers a client with these settings in time; False in an outage, too.

    Raises:
        ConfigError: the security settings contradict each other, or a certificate or key is invalid.
    """
    client = open_client(AdminClient, client_options(settings))
    try:
        client.list_topics(timeout=settings.startup_timeout_s)
    except KafkaException:
        return False
    return True
