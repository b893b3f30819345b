"""The sender waits a limited time for delivery reports."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError

from connectors.kafka.producer import Outgoing, Sender
from core.errors import TransientError


class _Producer:
    """Reports one delivery for each poll, which takes `poll_s`.

    Attributes:
        full: the local queue takes nothing.
        silent: nothing is reported.
    """

    def __init__(self, *, poll_s: float = 0.0, full: bool = False, silent: bool = False) -> None:
        self.now = 0.0
        self.full = full
        self.silent = silent
        self._poll_s = poll_s
        self._reports: list[Callable[[KafkaError | None, Any], None]] = []

    def produce(self, _topic: str, *, on_delivery: Callable[[KafkaError | None, Any], None], **_record: Any) -> None:
        if self.full:
            raise BufferError
        self._reports.append(on_delivery)

    def poll(self, timeout_s: float) -> None:
        if timeout_s:
            self.now += self._poll_s or (0.1 if self.silent or self.full else 0.0)
            if self._reports and not self.silent:
                self._reports.pop(0)(None, None)


def _send(producer: _Producer, records: int) -> None:
    client: Any = producer
    Sender(client, clock=lambda: producer.now).send([Outgoing("topic", None, b"")] * records)


def test_a_poll_that_ends_early_does_not_shorten_the_limit() -> None:
    """Polls that return early, one per report, don't use up the time limit."""
    _send(_Producer(), 2_000)


@pytest.mark.parametrize("kind", ["full", "silent"])
def test_the_limit_is_in_seconds(kind: str) -> None:
    """Without reports, or without room in the client's queue, sending is an outage after 40 s."""
    producer = _Producer(full=kind == "full", silent=kind == "silent")
    with pytest.raises(TransientError, match=r"no delivery report in time|stays full"):
        _send(producer, 1)
    assert 40 < producer.now < 41


def test_polls_that_take_long_count_in_full() -> None:
    """Polls that take longer than asked count with their real time."""
    producer = _Producer(silent=True, poll_s=15.0)
    with pytest.raises(TransientError, match="no delivery report in time"):
        _send(producer, 1)
    assert producer.now <= 60
