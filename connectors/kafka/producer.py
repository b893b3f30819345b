"""A producer: a record counts as sent when every in-sync replica has it."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from msgspec import Struct

from connectors.kafka.clients import open_client
from connectors.kafka.faults import translate
from connectors.kafka.options import Options, producer_options
from core.errors import RefusedError, TransientError
from core.raw_records import Headers
from core.settings import KafkaSettings

_POLL_S: Final = 0.1
#: RD_KAFKA_PARTITION_UA: the client's partitioner decides.
_BY_KEY: Final = -1
#: Longer than our delivery.timeout.ms, so that the report of a failure comes first.
_REPORT_TIMEOUT_S: Final = 40.0


class Outgoing(Struct, frozen=True):
    """A record to produce. Without `partition` the key's hash selects one; a `timestamp_ms` of 0 is now."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None
    timestamp_ms: int = 0

    @property
    def size(self) -> int:
        """Bytes of key and value."""
        return len(self.key or b"") + len(self.value or b"")


class Sender:
    """Writes records and waits for their delivery reports. Thread-safe."""

    def __init__(self, producer: Producer, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._producer = producer
        self._clock = clock

    def send(self, records: Sequence[Outgoing], *, on_delivered: Callable[[int], None] | None = None) -> None:
        """Durable on return.

        Args:
            records: written in order.
            on_delivered: called with 1 at each delivery, for progress.

        Raises:
            TransientError: the broker did not accept all; some may be written.
            RefusedError: the topic refuses a record, as too large or invalid; others may be written.
            FatalError: the broker refuses, or the topic is missing.
        """
        errors = self._deliver(records, on_delivered)
        if errors:
            raise translate(errors[min(errors)], "producing")

    def offer(self, records: Sequence[Outgoing]) -> dict[int, RefusedError]:
        """Durable on return, except for records that their topic refuses. Returns their errors by index.

        Raises:
            TransientError: the broker did not accept all others; some may be written.
            FatalError: the broker refuses, or a topic is missing.
        """
        refused = self._refused(records)
        if len(records) > 1:
            # The client sends several records as one batch, and the broker refuses it as a whole: alone, each may fit.
            alone = {place: self._refused([records[place]]) for place in refused}
            refused = {place: found[0] for place, found in alone.items() if found}
        return refused

    def _refused(self, records: Sequence[Outgoing]) -> dict[int, RefusedError]:
        errors = {place: translate(error, "producing") for place, error in self._deliver(records).items()}
        for error in errors.values():
            if not isinstance(error, RefusedError):
                raise error
        return {place: error for place, error in errors.items() if isinstance(error, RefusedError)}

    def _deliver(
        self, records: Sequence[Outgoing], on_delivered: Callable[[int], None] | None = None
    ) -> dict[int, KafkaError]:
        """Send, and wait for the reports. Returns the errors by index."""
        pending = _Pending(len(records), on_delivered)
        deadline = self._clock() + _REPORT_TIMEOUT_S
        for place, record in enumerate(records):
            self._produce(record, pending, place, deadline)
        while not pending.done.is_set():
            if self._clock() > deadline:
                raise TransientError("producing: no delivery report in time")
            self._producer.poll(_POLL_S)
        return pending.errors

    def _produce(self, record: Outgoing, pending: "_Pending", place: int, deadline: float) -> None:
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    key=record.key,
                    value=record.value,
                    headers=list(record.headers),
                    partition=_BY_KEY if record.partition is None else record.partition,
                    timestamp=record.timestamp_ms,
                    on_delivery=partial(pending.report, place),
                )
            except BufferError:  # the local queue is full: delivery reports free it
                if self._clock() > deadline:
                    raise TransientError("producing: the client's queue stays full") from None
                self._producer.poll(_POLL_S)
            except KafkaException as error:  # too large for the client, or an unknown partition
                pending.report(place, error.args[0], None)
                return
            else:
                self._producer.poll(0)
                return

    def close(self) -> None:
        """Flush the queue, for at most 5 s."""
        self._producer.flush(5)


def open_sender(settings: KafkaSettings, *, compress: bool = False) -> Sender:
    """Open a sender with a connection of its own. With `compress` its batches are compressed.

    Raises:
        ConfigError: the security settings contradict each other, or a certificate or key is invalid.
    """
    codec: Options = {"compression.type": "zstd"} if compress else {}
    return Sender(open_client(Producer, producer_options(settings) | codec))


class _Pending:
    """Counts outstanding delivery reports, which arrive on whichever thread polls."""

    def __init__(self, count: int, on_delivered: Callable[[int], None] | None) -> None:
        self._left = count
        self._lock = threading.Lock()
        self._on_delivered = on_delivered
        self.errors: dict[int, KafkaError] = {}
        self.done = threading.Event()
        if count == 0:
            self.done.set()

    def report(self, place: int, error: KafkaError | None, _message: Message | None) -> None:
        with self._lock:
            self._left -= 1
            if error is not None:
                self.errors[place] = error
            if self._left == 0:
                self.done.set()
        if error is None and self._on_delivered is not None:
            self._on_delivered(1)
