"""Sends records and dead letters to their topics."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from connectors.kafka.dead_letters import DeadLetterTopic
from connectors.kafka.producer import Outgoing, Sender
from core.errors import RefusedError
from core.records import Rejected
from runtime.sender import ReopeningSender


class Outlet:
    """Both topics, with one sender."""

    def __init__(
        self, open_sender: Callable[[ExitStack], Sender], *, dead_letters: str, now_ms: Callable[[], int]
    ) -> None:
        self._sender = ReopeningSender(open_sender)
        self._dead_letters = dead_letters
        self._now_ms = now_ms

    def open(self) -> None:
        """Open the sender, if there is none.

        Raises:
            ConfigError: the settings of the broker are wrong.
        """
        self._sender.open()

    def close(self) -> None:
        """Close the sender, if there is one."""
        self._sender.close()

    def send(self, records: Sequence[Outgoing]) -> Mapping[int, RefusedError]:
        """Send records, durable on return. Returns the errors of those that are too large for the topic, by position.

        Raises:
            TransientError: the broker did not accept all others; some may be written.
            FatalError: the broker refuses, or the topic is missing.
        """
        with self._sender.using() as sender:
            return sender.offer(records)

    def reject(self, rejected: Sequence[Rejected]) -> None:
        """Write dead letters; durable on return.

        Raises:
            TransientError: the broker did not accept all; some may be written.
            FatalError: the broker refuses, or the topic is missing.
        """
        with self._sender.using() as sender:
            DeadLetterTopic(sender, topic=self._dead_letters, now_ms=self._now_ms).publish(rejected)
