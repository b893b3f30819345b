"""Opens senders of Kafka records."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from connectors.kafka import producer
from connectors.kafka.producer import Sender
from core.errors import FatalError
from core.settings import KafkaSettings


def open_sender(settings: KafkaSettings, stack: ExitStack, *, compress: bool = False) -> Sender:
    """A sender with a connection of its own. With `compress` its batches are compressed.

    Raises:
        ConfigError: the security settings contradict each other, or one of their files is invalid.
    """
    sender = producer.open_sender(settings, compress=compress)
    stack.callback(sender.close)
    return sender


class ReopeningSender:
    """A sender that is opened when it is needed, and again after a fatal error: secrets may have been renewed."""

    def __init__(self, open_: Callable[[ExitStack], Sender]) -> None:
        self._open = open_
        self._stack = ExitStack()
        self._sender: Sender | None = None

    def open(self) -> Sender:
        """The sender, which is opened if there is none.

        Raises:
            ConfigError: the settings of the broker are wrong.
        """
        if self._sender is None:
            self._sender = self._open(self._stack)
        return self._sender

    @contextmanager
    def using(self) -> Iterator[Sender]:
        """The sender, which is closed if the block raises a FatalError."""
        try:
            yield self.open()
        except FatalError:
            self.close()
            raise

    def close(self) -> None:
        """Close the sender, if there is one."""
        self._sender = None
        self._stack.close()
