"""What was sent, and what came of it.

A send is *ok* when every in-sync replica has it, *failed* when the broker certainly doesn't, and *unknown* else: such
a record may be in the log or not. An ok one must be.
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
#: The client never handed these to a broker.
_NEVER_SENT: Final = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError._QUEUE_FULL,
    KafkaError._PURGE_QUEUE,
}


class Send(Struct):
    """One record, and where it lies when that is known. `version` is None for a record that can't be used."""

    record: SyntheticRecord
    ticket: TicketKey | None
    version: int | None
    deleted: bool
    outcome: Outcome = "unknown"
    partition: int = -1
    offset: int = -1


class Ledger:
    """Every send of a trial. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sends: list[Send] = []
        self._places: dict[tuple[int, int], Send] = {}
        self._floor = Floor()

    def open(self, record: SyntheticRecord) -> Send:
        """A send begins; until it is settled its outcome is unknown."""
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
        """What the client reports of it."""
        with self._lock:
            if error is None:
                send.outcome, send.partition, send.offset = "ok", message.partition() or 0, message.offset() or 0
                self._places[send.partition, send.offset] = send
            elif error.code() in _NEVER_SENT:
                send.outcome = "failed"

    def counts(self) -> Counter[Outcome]:
        """Sends by outcome."""
        with self._lock:
            return Counter(send.outcome for send in self._sends)

    def sent(self) -> list[Send]:
        """All of them, in the order they were sent."""
        with self._lock:
            return list(self._sends)

    def missing_from(self, log: Sequence[Record]) -> list[Send]:
        """Sends the broker has acknowledged and doesn't hold where it said."""
        held = {(r.origin.partition, r.origin.offset): (r.key, r.value) for r in log}
        with self._lock:
            return [s for place, s in self._places.items() if held.get(place) != (s.record.key, s.record.value)]

    def floor(self, committed: dict[int, int]) -> "Floor":
        """What the index owes to a search that begins now, when the group has committed so far."""
        with self._lock:
            self._floor.raise_to(committed, self._places)
            return self._floor


class Floor:
    """The fold of what is committed: no search may answer with less.

    A record whose report comes after its commit is left out: the floor is then lower than it could be, never higher.
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
        """The lowest version that may be shown, and whether it is a delete; -1 for a ticket nothing is owed of."""
        return self._versions.get(ticket, (-1, False))

    def tickets(self) -> list[TicketKey]:
        """Those something is owed of."""
        return list(self._versions)


class Feeder:
    """Sends records at a steady rate on a thread of its own, and writes every outcome down."""

    def __init__(self, kafka: KafkaSettings, topic: str, ledger: Ledger, **options: Any) -> None:
        self._producer = Producer(producer_options(kafka) | options)
        self._topic = topic
        self._ledger = ledger
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._fault: Exception | None = None
        self._rate, self._calm = 0.0, False

    def send(self, records: Sequence[SyntheticRecord]) -> None:
        """Send these now and wait for what comes of it."""
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
        """There is more to send."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Send no more, and wait for what comes of what was sent. Raises what the thread has ended of, if it has."""
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
        except Exception as error:  # noqa: BLE001 - a thread's error would vanish, and less be sent than was thought
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
