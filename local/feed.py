"""Feeds synthetic tickets to a local stream, and counts those that the stream has not committed yet."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from connectors.kafka.admin import Cluster, open_cluster
from connectors.kafka.producer import Outgoing, Sender
from core.errors import TicketstreamError
from core.settings import Settings
from runtime.sender import open_sender
from synthetic.tickets import SyntheticRecord, events

#: More events than a demo ever sends.
_ENDLESS: Final = 1_000_000
_JOIN_S: Final = 5.0


class Feed:
    """Sends synthetic tickets to the raw topic, which nobody else writes. `sent` counts them."""

    def __init__(self, settings: Settings, *, sender: Sender, cluster: Cluster) -> None:
        self._settings = settings
        self._sender = sender
        self._cluster = cluster
        self.sent = 0

    def send(self, count: int, *, seed: int, on_delivered: Callable[[int], None]) -> None:
        """Send `count` events; `on_delivered` is called with 1 at each delivery.

        Raises:
            TransientError, FatalError: see `Sender.send`.
        """
        records = [self._outgoing(event) for event in _events(count, seed)]
        self._sender.send(records, on_delivered=on_delivered)
        self.sent += count

    def committed(self) -> int:
        """Records of the raw topic that the stream has committed."""
        return committed(self._cluster, self._settings)

    def backlog(self) -> int:
        """Records that were sent and are not committed yet."""
        return self.sent - self.committed()

    @contextmanager
    def trickle(
        self, *, seed: int, per_s: float, after_each: Callable[[], None], on_error: Callable[[str], None]
    ) -> Iterator[None]:
        """Keep sending single tickets from a thread until the block ends."""
        stopping = threading.Event()

        def run() -> None:
            try:
                for event in _events(_ENDLESS, seed, first=self.sent + 1):
                    self._sender.send([self._outgoing(event)])
                    self.sent += 1
                    after_each()
                    if stopping.wait(1 / per_s):
                        return
            except TicketstreamError as error:
                on_error(str(error))

        thread = threading.Thread(target=run, name="trickle", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join(_JOIN_S)

    def _outgoing(self, event: SyntheticRecord) -> Outgoing:
        return Outgoing(self._settings.topics.raw, event.key, event.value, event.headers)


def open_feed(settings: Settings, stack: ExitStack) -> Feed:
    """A feed with connections of its own.

    Raises:
        ConfigError: the security settings contradict each other, or one of their files is invalid.
    """
    return Feed(settings, sender=open_sender(settings.kafka, stack), cluster=open_cluster(settings.kafka))


def committed(cluster: Cluster, settings: Settings) -> int:
    """Records of the raw topic that the group has committed."""
    return sum(lag.committed or 0 for lag in cluster.lag(settings.topics.raw, settings.kafka.group))


def _events(count: int, seed: int, *, first: int = 1) -> Iterator[SyntheticRecord]:
    return events(count, seed=seed, start_ms=int(time.time() * 1000), first=first)
