"""Tasks of the producer in this process, on a folder, with the test's own clocks and broker."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from connectors.checkpoints.sqlite import SqliteCheckpoints, open_sqlite
from connectors.files.formats import parsers
from connectors.kafka.producer import Outgoing
from core.errors import RefusedError, TicketstreamError
from core.producing import Source
from core.service_settings import ProducerSettings
from runtime.telemetry import Telemetry
from services.producer.compose import open_sources
from services.producer.leases import Leases
from services.producer.monitor import Monitor
from services.producer.opening import FileReader
from services.producer.outlet import Outlet
from services.producer.producer import Producer
from services.producer.retry import Retry
from services.producer.sending import Sending

#: 2026-01-05T08:00:00Z, in seconds.
NOW_S: Final = 1_767_600_000.0
MAX_RECORD_BYTES: Final = 2_000


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOW_S

    def __call__(self) -> float:
        return self.now


class Stop(threading.Event):
    """An event whose `wait` moves the clock instead of waiting."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._moved = clock

    def wait(self, timeout: float | None = None) -> bool:
        self._moved.now += timeout or 0.0
        return self.is_set()


class Broker:
    """A fake of `connectors.kafka.producer.Sender`."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        #: Raised by each call, if set.
        self.fault: TicketstreamError | None = None
        #: Values that are too large for the topic.
        self.too_large: set[bytes] = set()

    def offer(self, records: Sequence[Outgoing]) -> dict[int, RefusedError]:
        if self.fault is not None:
            raise self.fault
        refused = {}
        for place, record in enumerate(records):
            if record.topic == "raw" and record.value in self.too_large:
                refused[place] = RefusedError("producing: message size too large")
            else:
                self.sent.append(record)
        return refused

    def values(self, topic: str = "raw") -> list[bytes]:
        """Values of a topic's records, in order."""
        return [record.value or b"" for record in self.sent if record.topic == topic]


class Task:
    """A task of the producer."""

    def __init__(self, world: "World", name: str) -> None:
        settings = world.settings
        clock = world.clock
        self.stop = Stop(clock)
        self.telemetry = Telemetry()
        self.monitor = Monitor(self.telemetry, max_stall_s=60, clock=clock)
        retry = Retry(self.stop, self.monitor, cap_s=0.01)
        self.leases = Leases(world.store, owner=name, lease_s=settings.lease_s, clock=clock)
        outlet = Outlet(lambda _stack: world.broker, dead_letters="dlq", now_ms=self.leases.now_ms)  # type: ignore[arg-type, return-value]  # a fake
        new_parser = parsers(settings, topic="raw", max_bytes=MAX_RECORD_BYTES)
        self.sending = Sending(
            outlet, leases=self.leases, retry=retry, monitor=self.monitor, rate=settings.rate, clock=clock
        )
        self.producer = Producer(
            world.sources,
            world.store,
            self.sending,
            leases=self.leases,
            retry=retry,
            monitor=self.monitor,
            files=FileReader(new_parser, max_line_bytes=4 * MAX_RECORD_BYTES, clock=clock),
            settings=settings,
            clock=clock,
        )
        self._clock = clock
        self._scan_s = settings.scan_s

    def work(self) -> None:
        """Scan the sources, and send until nothing is left."""
        self._clock.now += self._scan_s
        while self.producer.turn():
            pass

    def metric(self, name: str, **labels: str) -> float:
        """The value of a metric."""
        return self.telemetry.registry.get_sample_value(name, labels) or 0.0


class World:
    """A folder, a store, a broker, and tasks that share them."""

    def __init__(self, folder: Path, stack: ExitStack, *, sources: str = "", **settings: object) -> None:
        self.folder = folder / "in"
        self.folder.mkdir(exist_ok=True)
        self.clock = Clock()
        self.broker = Broker()
        self.settings = ProducerSettings.model_validate({"sources": sources or str(self.folder), **settings})
        self.store: SqliteCheckpoints = open_sqlite(folder / "producer.db", stack)
        self.sources: Sequence[Source] = open_sources(self.settings)

    def task(self, name: str = "one") -> Task:
        """A new task."""
        return Task(self, name)

    def write(self, name: str, content: bytes) -> Path:
        """Append to a file."""
        path = self.folder / name
        with path.open("ab") as file:
            file.write(content)
        return path


def line(number: int, text: str = "") -> bytes:
    """A line of JSONL, with its line break."""
    return event(number, text) + b"\n"


def event(number: int, text: str = "") -> bytes:
    """The same without the line break."""
    return (
        b'{"op":"upsert","tenant_id":"acme","ticket_id":"T-%d","version":1,"created_at":%d,"updated_at":%d,"body":"%s"}'
        % (
            number,
            int(NOW_S * 1000),
            int(NOW_S * 1000),
            text.encode(),
        )
    )


def events(*numbers: int) -> list[bytes]:
    """Values of the records of these lines."""
    return [event(number) for number in numbers]
