"""The local broker behind a proxy is reached only through the proxy."""

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient

from tests.rigs.tansu import start_proxied
from tests.rigs.waiting import PATIENCE_S


def test_every_byte_goes_through_the_proxy() -> None:
    """The broker advertises the proxy's address: all bytes pass the proxy, and without it no client connects."""
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
