"""A producer: a record counts as sent when every in-sync replica has it."""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from msgspec import Struct

from connectors.kafka.clients import open_client
from connectors.kafka.faults import translate
from connectors.kafka.options import producer_options
from core.errors import TransientError
from core.records import Headers
from core.settings import KafkaSettings

_POLL_S: Final = 0.1
#: RD_KAFKA_PARTITION_UA: the client's partitioner decides.
_BY_KEY: Final = -1
#: Longer than our delivery.timeout.ms, so that the report of a failure comes first.
_REPORT_TIMEOUT_S: Final = 40.0


class Outgoing(Struct, frozen=True):
    """A record to produce. Without `partition` the key's hash selects one."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


class Sender:
    """Writes records and waits for their delivery reports. Thread-safe."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    def send(self, records: Sequence[Outgoing], *, on_delivered: Callable[[int], None] | None = None) -> None:
        """Durable on return.

        Args:
            records: written in order.
            on_delivered: called with 1 at each delivery, for progress.

        Raises:
            TransientError: the broker did not accept all; some may be written.
            RefusedError: a record is too large for the topic; others may be written.
            FatalError: the broker refuses, or the topic is missing.
        """
        pending = _Pending(len(records), on_delivered)
        for record in records:
            self._produce(record, pending)
        deadline_polls = int(_REPORT_TIMEOUT_S / _POLL_S)
        for _ in range(deadline_polls):
            if pending.done.is_set():
                break
            self._producer.poll(_POLL_S)
        if not pending.done.is_set():
            raise TransientError("producing: no delivery report in time")
        if pending.error is not None:
            raise translate(pending.error, "producing")

    def _produce(self, record: Outgoing, pending: "_Pending") -> None:
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    key=record.key,
                    value=record.value,
                    headers=list(record.headers),
                    partition=_BY_KEY if record.partition is None else record.partition,
                    on_delivery=pending.report,
                )
            except BufferError:  # the local queue is full: delivery reports free it
                self._producer.poll(_POLL_S)
            except KafkaException as error:  # too large for the client, or an unknown partition
                pending.report(error.args[0], None)
                return
            else:
                self._producer.poll(0)
                return

    def close(self) -> None:
        """Flush the queue, for at most 5 s."""
        self._producer.flush(5)


def open_sender(settings: KafkaSettings) -> Sender:
    """Open a sender with a connection of its own.

    Raises:
        ConfigError: the security settings contradict each other, or a certificate or key is invalid.
    """
    return Sender(open_client(Producer, producer_options(settings)))


class _Pending:
    """Counts outstanding delivery reports, which arrive on whichever thread polls."""

    def __init__(self, count: int, on_delivered: Callable[[int], None] | None) -> None:
        self._left = count
        self._lock = threading.Lock()
        self._on_delivered = on_delivered
        self.error: KafkaError | None = None
        self.done = threading.Event()
        if count == 0:
            self.done.set()

    def report(self, error: KafkaError | None, _message: Message | None) -> None:
        with self._lock:
            self._left -= 1
            if error is not None:
                self.error = self.error or error
            if self._left == 0:
                self.done.set()
        if error is None and self._on_delivered is not None:
            self._on_delivered(1)
