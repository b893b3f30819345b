"""The dead-letter topic: the original key, value and headers, with headers for stage, code, reason and origin.

The value is kept as it was, so that a replay is exact. The topic therefore holds raw ticket text and needs the same
protection as the topic that the record came from.
"""

from collections.abc import Callable, Sequence
from typing import Final

from connectors.kafka.producer import Outgoing, Sender
from core.records import Headers, Rejected

HEADER_PREFIX: Final = "dlq-"
#: Kept over replays, so that a record that is rejected again shows when it was first rejected.
FIRST_SEEN: Final = "dlq-first-seen-ms"


class DeadLetterTopic:
    """Implements `core.protocols.DeadLetters` on a Kafka topic."""

    def __init__(self, sender: Sender, *, topic: str, now_ms: Callable[[], int]) -> None:
        self._sender = sender
        self._topic = topic
        self._now_ms = now_ms

    def publish(self, rejected: Sequence[Rejected]) -> None:
        """Durable on return.

        Raises:
            TransientError: the broker did not accept all; some may be written.
            FatalError: the broker refuses, or the topic is missing.
        """
        self._sender.send([self._dead_letter(item) for item in rejected])

    def _dead_letter(self, rejected: Rejected) -> Outgoing:
        record = rejected.record
        first_seen = dict(record.headers).get(FIRST_SEEN, str(self._now_ms()).encode())
        about: Headers = (
            ("dlq-stage", rejected.stage.encode()),
            ("dlq-code", rejected.code.encode()),
            ("dlq-reason", rejected.reason.encode()),
            ("dlq-topic", record.origin.topic.encode()),
            ("dlq-partition", str(record.origin.partition).encode()),
            ("dlq-offset", str(record.origin.offset).encode()),
            (FIRST_SEEN, first_seen),
        )
        kept = tuple(pair for pair in record.headers if not pair[0].startswith(HEADER_PREFIX))
        return Outgoing(self._topic, record.key, record.value, kept + about)
