"""The records that were sent, and the outcome of each send.

A send is *ok* if every in-sync replica acknowledged it, and then it must be in the log. It is *failed* if no broker
can have it, and otherwise *unknown*: the record may be in the log or not.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

from confluent_kafka import KafkaError, Message, Producer
from msgspec import Struct

from connectors.kafka.options import producer_options
from core.records import Origin, Record
from core.settings import KafkaSettings
from synthetic.tickets import SyntheticRecord
from tests.reading import read
from tests.rigs.calm import calm_clock
from tests.rigs.waiting import PATIENCE_S

Outcome = Literal["ok", "failed", "unknown"]
TicketKey = tuple[str, str]

_TICK_S: Final = 0.02
#: With these errors the client never sent the record.
_NEVER_SENT: Final = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError._QUEUE_FULL,
    KafkaError._PURGE_QUEUE,
}


class Send(Struct):
    """A record, with its place in the log if known. `ticket` and `version` are None for a bad record."""

    record: SyntheticRecord
    ticket: TicketKey | None
    version: int | None
    deleted: bool
    outcome: Outcome = "unknown"
    partition: int = -1
    offset: int = -1


class Ledger:
    """All sends of an attack. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sends: list[Send] = []
        self._places: dict[tuple[int, int], Send] = {}
        self._floor = Floor()

    def open(self, record: SyntheticRecord) -> Send:
        """Register a send, with an unknown outcome."""
        found = read(Record(Origin("", 0, 0), record.key, record.value, 0, record.headers))
        send = (
            Send(record, None, None, False)
            if found is None
            else Send(record, (found.tenant_id, found.ticket_id), found.version, found.deleted)
        )
        with self._lock:
            self._sends.append(send)
        return send

    def settle(self, send: Send, error: KafkaError | None, message: Message) -> None:
        """Set the outcome that the client reports."""
        with self._lock:
            if error is None:
                send.outcome, send.partition, send.offset = "ok", message.partition() or 0, message.offset() or 0
                self._places[send.partition, send.offset] = send
            elif error.code() in _NEVER_SENT:
                send.outcome = "failed"

    def counts(self) -> Counter[Outcome]:
        """The number of sends by outcome."""
        with self._lock:
            return Counter(send.outcome for send in self._sends)

    def sent(self) -> list[Send]:
        """All sends in order."""
        with self._lock:
            return list(self._sends)

    def missing_from(self, log: Sequence[Record]) -> list[Send]:
        """Sends that were acknowledged and aren't at their places in the log."""
        held = {(r.origin.partition, r.origin.offset): (r.key, r.value) for r in log}
        with self._lock:
            return [s for place, s in self._places.items() if held.get(place) != (s.record.key, s.record.value)]

    def floor(self, committed: dict[int, int]) -> "Floor":
        """The versions below which no search may show a ticket, after these commits."""
        with self._lock:
            self._floor.raise_to(committed, self._places)
            return self._floor


class Floor:
    """The fold of the committed records. No search may show less.

    A record whose delivery report comes after its commit is left out, so the floor is at times too low, never too high.
    """

    def __init__(self) -> None:
        self._next: dict[int, int] = {}
        self._versions: dict[TicketKey, tuple[int, bool]] = {}

    def raise_to(self, committed: dict[int, int], places: dict[tuple[int, int], Send]) -> None:
        for partition, end in committed.items():
            for offset in range(self._next.get(partition, 0), end):
                send = places.get((partition, offset))
                if send is None or send.ticket is None or send.version is None:
                    continue
                if self._versions.get(send.ticket, (-1, False))[0] < send.version:
                    self._versions[send.ticket] = (send.version, send.deleted)
            self._next[partition] = max(end, self._next.get(partition, 0))

    def of(self, ticket: TicketKey) -> tuple[int, bool]:
        """The lowest version that may be shown, and whether it is a delete; -1 for a ticket without a commit."""
        return self._versions.get(ticket, (-1, False))

    def tickets(self) -> list[TicketKey]:
        """The tickets with a commit."""
        return list(self._versions)


class Feeder:
    """Sends records at a steady rate on a thread of its own, and enters the outcomes in the ledger."""

    def __init__(self, kafka: KafkaSettings, topic: str, ledger: Ledger, **options: Any) -> None:
        self._producer = Producer(producer_options(kafka) | options)
        self._topic = topic
        self._ledger = ledger
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._fault: Exception | None = None
        self._rate, self._calm = 0.0, False

    def send(self, records: Sequence[SyntheticRecord]) -> None:
        """Send these records and wait for their outcomes."""
        for record in records:
            self._produce(record)
        self._producer.flush(PATIENCE_S)

    def start(self, records: Iterator[SyntheticRecord], *, rate: float, calm: bool = False) -> None:
        """Send `rate` of `records` a second until they end, or until `stop`.

        Args:
            records: what to send.
            rate: records a second.
            calm: slow down with the machine: the seconds are those of `calm_clock`.
        """
        self._rate, self._calm = rate, calm
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=(records,), name="feeder", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is still sending."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Stop sending and wait for the outcomes. Raises the error that ended the thread, if any."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._producer.flush(PATIENCE_S)
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault

    def _run(self, records: Iterator[SyntheticRecord]) -> None:
        try:
            self._feed(records)
        except Exception as error:  # noqa: BLE001 - `stop` raises it
            self._fault = error

    def _feed(self, records: Iterator[SyntheticRecord]) -> None:
        owed = 0.0
        last = time.monotonic()
        while not self._stopping.wait(_TICK_S):
            now = time.monotonic()
            owed += (now - last) * self._rate * (calm_clock.speed if self._calm else 1.0)
            last = now
            while owed >= 1:
                record = next(records, None)
                if record is None:
                    return
                self._produce(record)
                owed -= 1
            self._producer.poll(0)

    def _produce(self, record: SyntheticRecord) -> None:
        send = self._ledger.open(record)

        def report(error: KafkaError | None, message: Message) -> None:
            self._ledger.settle(send, error, message)

        while True:
            try:
                self._producer.produce(
                    self._topic,
                    key=record.key,
                    value=record.value,
                    headers=list(record.headers),
                    on_delivery=report,
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                return
