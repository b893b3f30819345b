"""Mutants that break P12 and P1: reading from the broker."""

import re
from collections.abc import Sequence
from typing import Any

from cli import dlq
from connectors.kafka import dead_letters, messages
from connectors.kafka.messages import Item, Unreadable
from connectors.kafka.producer import Outgoing, Sender
from connectors.kafka.skipping import BatchSkipper
from delivery.offsets import OffsetTracker, TopicPartition
from tests.faults.mutants.mutant import mutant, patch

_DEAD_LETTERS: Any = dead_letters
_DLQ: Any = dlq
_MESSAGES: Any = messages


@mutant("P12", trial="unreadable_records")
def trust_every_header() -> None:
    """Headers are read as if they were always text."""
    patch(_MESSAGES, "_headers", lambda message, _offset: (tuple(message.headers() or ()), None))


@mutant("P12", trial="unreadable_records")
def wait_for_an_unreadable_batch() -> None:
    """An unreadable batch is waited for instead of skipped."""
    read = BatchSkipper.read

    def patient(self: BatchSkipper, item: Item) -> Sequence[Any]:
        return () if isinstance(item, Unreadable) else read(self, item)

    patch(BatchSkipper, "read", patient)


@mutant("P12", "P6", trial="unreadable_records")
def pass_an_unreadable_batch_in_silence() -> None:
    """An unreadable batch is skipped without a dead letter."""
    finish = BatchSkipper._finish

    def silent(self: BatchSkipper, *arguments: Any, **more: Any) -> tuple[()]:
        finish(self, *arguments, **more)
        return ()

    patch(BatchSkipper, "_finish", silent)


@mutant("P12", trial="transactions")
def commit_records_alone() -> None:
    """A commit never passes the marker of a transaction."""
    patch(OffsetTracker, "reached", lambda _self, _partition, _offset: None)


@mutant("P1", trial="one_batch_waits")
def commit_the_end_at_once() -> None:
    """The end of a partition is committed when it is reached, whatever is in flight before it."""

    def reached(self: OffsetTracker, partition: TopicPartition, offset: int) -> None:
        assignment = self._assignments[partition]
        assignment.commit_position = max(assignment.commit_position or 0, offset)

    patch(OffsetTracker, "reached", reached)


@mutant("P12", trial="letter_too_large")
def write_letters_whole_or_not_at_all() -> None:
    """A letter that doesn't fit its topic is not cut."""
    patch(_DEAD_LETTERS, "_WAYS", _DEAD_LETTERS._WAYS[:1])


@mutant("P12", trial="letter_too_large")
def take_over_any_first_seen_time() -> None:
    """A letter has its record's first-seen header, whatever that holds."""
    patch(_DEAD_LETTERS, "_FIRST_SEEN", re.compile(rb".*", re.DOTALL))


@mutant("P12", trial="letter_too_large")
def replay_until_one_is_refused() -> None:
    """A replay ends at the first letter that its topic refuses."""

    def strict(sender: Sender, _plan: Any, records: Sequence[Outgoing]) -> None:
        sender.send(records)

    patch(_DLQ, "send_accepted", strict)
