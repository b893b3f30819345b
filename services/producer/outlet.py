"""Sends records and dead letters to their topics."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from connectors.kafka.dead_letters import DeadLetterTopic
from connectors.kafka.producer import Outgoing, Sender
from core.errors import FatalError, RefusedError
from core.records import Rejected


class Outlet:
    """The clients of both topics. After a fatal error a new client is opened, because secrets may have been renewed."""

    def __init__(
        self, open_sender: Callable[[ExitStack], Sender], *, dead_letters: str, now_ms: Callable[[], int]
    ) -> None:
        self._open_sender = open_sender
        self._dead_letters = dead_letters
        self._now_ms = now_ms
        self._stack = ExitStack()
        self._sender: Sender | None = None

    def open(self) -> Sender:
        """The client; opens it first if there is none.

        Raises:
            ConfigError: the settings of the broker are wrong.
        """
        if self._sender is None:
            self._sender = self._open_sender(self._stack)
        return self._sender

    def close(self) -> None:
        """Close the client, if there is one."""
        self._sender = None
        self._stack.close()

    def send(self, records: Sequence[Outgoing]) -> Mapping[int, RefusedError]:
        """Send records, durable on return. Returns the errors of those that are too large for the topic, by position.

        Raises:
            TransientError: the broker did not accept all others; some may be written.
            FatalError: the broker refuses, or the topic is missing.
        """
        with self._reopening():
            return self.open().offer(records)

    def reject(self, rejected: Sequence[Rejected]) -> None:
        """Write dead letters; durable on return.

        Raises:
            TransientError: the broker did not accept all; some may be written.
            FatalError: the broker refuses, or the topic is missing.
        """
        with self._reopening():
            DeadLetterTopic(self.open(), topic=self._dead_letters, now_ms=self._now_ms).publish(rejected)

    @contextmanager
    def _reopening(self) -> Iterator[None]:
        try:
            yield
        except FatalError:
            self.close()
            raise
