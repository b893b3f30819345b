"""A writer whose sink is a topic acks after the delivery report."""

from collections.abc import Callable, Sequence
from typing import cast

import pytest
from confluent_kafka import Producer

from connectors.kafka.options import producer_options
from connectors.kafka.producer import Outgoing, Sender
from connectors.kafka.topic_sink import TopicSink
from core.records import Batch, EnrichedTicket, Receipt, Rejected
from core.settings import KafkaSettings, WriterSettings
from core.wire.enriched import encode_enriched
from stream.progress import Progress
from stream.sinks import ENRICHED, OpenSink
from stream.telemetry import StreamTelemetry
from stream.writer import Writer
from tests.fakes import FakeDeadLetters, dependencies, receipt
from tests.operators import samples
from tests.rigs.waiting import wait_until


class _Hasty(Sender):
    """Returns without waiting for delivery reports."""

    def send(self, records: Sequence[Outgoing], *, on_delivered: Callable[[int], None] | None = None) -> None:
        del on_delivered
        for record in records:
            self._producer.produce(record.topic, key=record.key, value=record.value)


def _acks_without_a_broker(kind: type[Sender]) -> list[Receipt]:
    """The acks of a writer whose broker does not exist."""
    options = producer_options(KafkaSettings(brokers="127.0.0.1:1")) | {"delivery.timeout.ms": 300}
    topic: TopicSink[EnrichedTicket] = TopicSink(
        kind(Producer(options)), topic="tickets.enriched", message=encode_enriched
    )
    acks: list[Receipt] = []
    progress, telemetry = Progress(max_stall_s=60), StreamTelemetry()
    settings = WriterSettings(backoff_max_s=0.02, max_concurrent_batches=1)
    writer: Writer[EnrichedTicket] = Writer(
        finish=lambda batch: cast("Batch[EnrichedTicket | Rejected]", batch),
        sinks=[OpenSink(ENRICHED, topic)],
        dead_letters=FakeDeadLetters(),
        dependencies=dependencies(settings, telemetry, progress, [ENRICHED]),
        ack=acks.append,
        settings=settings,
        telemetry=telemetry,
        progress=progress,
    )
    writer.submit(Batch((samples.enriched(body="x"),), receipt("r1")))
    wait_until(lambda: bool(acks) or progress.outage is not None)
    assert writer.fault is None
    writer.close()
    return acks


def test_nothing_is_acked_without_a_broker() -> None:
    """An unreachable broker is an outage of the topic, and nothing is acked."""
    assert _acks_without_a_broker(Sender) == []


def test_a_sender_that_does_not_wait_is_caught() -> None:
    """A mutant that does not wait for delivery reports is caught."""
    with pytest.raises(AssertionError):
        assert _acks_without_a_broker(_Hasty) == []
