"""The embedded broker behind a proxy is reached through the proxy alone."""

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient

from tests.rigs.tansu import start_proxied
from tests.rigs.waiting import PATIENCE_S


def test_every_byte_goes_through_the_proxy() -> None:
    """A client asks it for the address to talk to and is sent to the proxy, which then closes its port."""
    with start_proxied() as (address, proxy):
        before = proxy.forwarded["to_server"]
        producer = Producer({"bootstrap.servers": address, "log_level": 0})
        producer.produce("through", b"-" * 100_000)
        assert producer.flush(PATIENCE_S) == 0
        assert proxy.forwarded["to_server"] - before > 100_000
        client = AdminClient({"bootstrap.servers": address, "log_level": 0})
        [broker] = client.list_topics(timeout=PATIENCE_S).brokers.values()
        assert f"{broker.host}:{broker.port}" == address
        proxy.refuse()
        with pytest.raises(KafkaException):
            AdminClient({"bootstrap.servers": address, "log_level": 0}).list_topics(timeout=1)
