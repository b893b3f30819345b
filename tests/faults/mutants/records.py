"""Mutants that break P1 to P6: what happens to records."""

import os
import time
from collections.abc import Sequence
from itertools import count
from threading import local
from typing import Any, Final
from uuid import uuid4

import qdrant_edge as edge

from connectors.kafka import consumer
from connectors.kafka.consumer import GroupConsumer
from connectors.kafka.dead_letters import DeadLetterTopic
from connectors.qdrant import layout, policy, reading
from connectors.qdrant.engine import Upsert
from connectors.qdrant.policy import VersionedIndex
from core.errors import TransientError
from core.records import NO_RECEIPT, Batch, Receipt, Record, Rejected, TicketPoints
from delivery.noting import NotingTracker, Position
from delivery.offsets import TopicPartition as Partition
from delivery.offsets import _Assignment
from operators import points as pointing
from runtime import searcher
from stream import index_check, plan, positions
from stream.integrity import Integrity
from stream.steps import Step
from stream.writer import Writer
from tests.faults.mutants.mutant import mutant, patch

_FAR: Final = 2**53
#: Modules whose imported names are replaced. `Any`, because they don't export those names.
_LAYOUT: Any = layout
_POLICY: Any = policy
_READING: Any = reading
_CONSUMER: Any = consumer
_POINTING: Any = pointing
_PLAN: Any = plan
_INDEX_CHECK: Any = index_check
_POSITIONS: Any = positions
_SEARCHER: Any = searcher


# --- P1: every record has its effect


@mutant("P1", "P4", trial="outage_then_kill")
def auto_commit() -> None:
    """The client commits the offsets that it has returned, on a timer."""
    options = _CONSUMER.consumer_options
    auto = {"enable.auto.commit": True, "enable.auto.offset.store": True, "auto.commit.interval.ms": 100}
    patch(_CONSUMER, "consumer_options", lambda settings: options(settings) | auto)


@mutant("P1", "P4", trial="half_an_outage_then_kill")
def ack_before_the_write() -> None:
    """A batch is acked before it is written."""
    submit, ack = Writer.submit, GroupConsumer.ack

    def hasty(self: Writer[Any], batch: Batch[Any]) -> None:
        self._ack(batch.receipt)
        submit(self, Batch(batch.items, NO_RECEIPT))

    def once(self: GroupConsumer, receipt: Receipt) -> None:
        if receipt is not NO_RECEIPT:
            ack(self, receipt)

    patch(Writer, "submit", hasty)
    patch(GroupConsumer, "ack", once)


@mutant("P1", trial="one_batch_waits")
def commit_the_highest_ack() -> None:
    """The commit position follows the latest ack, past records in flight."""

    def ack(self: _Assignment, offsets: Sequence[int]) -> None:
        self.delivered.clear()
        self.commit_position = max(self.commit_position or 0, max(offsets) + 1)

    patch(_Assignment, "ack", ack)


@mutant("P1", "P4", trial="half_an_outage_then_kill")
def give_up_after_three_tries() -> None:
    """Every third failed write counts as a success."""
    write, tries = VersionedIndex.write, count(1)

    def tired(self: VersionedIndex, tickets: Sequence[TicketPoints]) -> None:
        try:
            write(self, tickets)
        except TransientError:
            if next(tries) % 3:
                raise

    patch(VersionedIndex, "write", tired)


@mutant("P5", trial="customers_out")
def skip_lookups_in_an_outage() -> None:
    """A ticket is written without its customer's facts while the directory is out."""
    enrich = _PLAN.enrich

    def hurried(items: Sequence[Any], **resources: Any) -> Any:
        try:
            return enrich(items, **resources)
        except TransientError:
            return list(items)

    patch(_PLAN, "enrich", hurried)


# --- P2: a visible version never goes down


@mutant("P2", "P1", "P4", trial="late_versions")
def plain_upsert() -> None:
    """The last write wins, whatever its version."""
    _unconditional()

    def write(self: VersionedIndex, tickets: Sequence[TicketPoints]) -> int:
        self.engine.write(_POLICY._upserts(tickets))
        self._clear(tickets)
        return 0

    patch(VersionedIndex, "_write", write)


@mutant("P2", "P1", trial="held_write")
def read_then_write() -> None:
    """The version is checked by a read before the write, and not by the write itself."""
    _unconditional()


def _unconditional() -> None:
    upserts = _POLICY._upserts
    patch(_POLICY, "_upserts", lambda tickets: [Upsert(u.points, _FAR) for u in upserts(tickets)])


# --- P3, P5: the index is a function of the log


@mutant("P2", "P3", "P5", "P1", "P4", trial="replay")
def random_point_ids() -> None:
    """Every write creates points with new ids."""

    def fresh(_tenant_id: str, _ticket_id: str, _chunk: int) -> str:
        return str(uuid4())

    for module in (_POINTING, _LAYOUT, _POLICY, _READING):
        patch(module, "point_id", fresh)


@mutant("P3", trial="replay")
def fresh_points_on_replay() -> None:
    """A replay by another group creates points with new ids."""
    if os.environ["TICKETS_KAFKA__GROUP"].endswith("-again"):
        random_point_ids()


@mutant("P5", "P3", trial="late_versions")
def wall_clock_in_the_payload() -> None:
    """A payload contains the time of the write."""
    to_points = _PLAN.to_points

    def stamped(tickets: Sequence[Any], **resources: Any) -> Any:
        made = to_points(tickets, **resources)
        for points in made:
            for point in points.points:
                point.payload["indexed_at"] = time.time()
        return made

    patch(_PLAN, "to_points", stamped)


@mutant("P5", trial="replay")
def points_without_words() -> None:
    """Points are written without their terms."""
    patch(_PLAN, "TERMS", Step("terms", "index", list))


# --- P4: what is deleted stays deleted


@mutant("P4", "P1", "P5", trial="late_versions")
def hard_delete() -> None:
    """A delete removes the points, and with them the version that blocks older events."""
    write = VersionedIndex._write

    def deleting(self: VersionedIndex, tickets: Sequence[TicketPoints]) -> int:
        superseded = write(self, [ticket for ticket in tickets if ticket.points])
        gone: list[Any] = [_POLICY._head_id(ticket) for ticket in tickets if not ticket.points]
        if gone:
            engine: Any = self.engine
            engine._shard.update(edge.UpdateOperation.delete_points(gone))
        return superseded

    patch(VersionedIndex, "_write", deleting)


# --- P6: the dead letters are the bad records, with their bytes


@mutant("P6", trial="late_versions")
def drop_rejected_records() -> None:
    """A rejected record is dropped and not dead-lettered."""
    patch(DeadLetterTopic, "publish", lambda _self, _rejected: None)


@mutant("P6", "P1", "P4", trial="late_versions")
def reject_the_whole_batch() -> None:
    """One bad record rejects its whole batch."""
    decode = _PLAN.decode

    def strict(records: Sequence[Record], **resources: Any) -> Any:
        results = decode(records, **resources)
        if not any(isinstance(result, Rejected) for result in results):
            return results
        return [Rejected(record, "decode", "bad_batch", "another record of its batch is bad") for record in records]

    patch(_PLAN, "decode", strict)


@mutant("P6", "P8", trial="outage_then_kill")
def dead_letter_on_outage() -> None:
    """Tickets that can't be written during an outage are dead-lettered."""
    write, run = VersionedIndex.write, Writer._run
    here = local()

    def impatient(self: VersionedIndex, tickets: Sequence[TicketPoints]) -> None:
        try:
            write(self, tickets)
        except TransientError:
            items = here.batch.items
            letters = [Rejected(_record_of(item), "index", "outage", "the index is out") for item in items]
            here.writer._dead_letters.publish(letters)

    def remembered(self: Writer[Any], unfinished: Batch[Any]) -> None:
        here.writer, here.batch = self, unfinished
        run(self, unfinished)

    patch(Writer, "_run", remembered)
    patch(VersionedIndex, "write", impatient)


def _record_of(item: Any) -> Record:
    """The record of an item."""
    record: Record = item.record if isinstance(item, Rejected) else item.ticket.record
    return record


# --- P13: an index that doesn't match the offsets is noticed


@mutant("P13", "P1", trial="half_an_outage_then_kill")
def note_what_is_in_flight() -> None:
    """A position is noted, and committed, as soon as its record is read."""

    def unnoted(self: NotingTracker) -> dict[Partition, Position]:
        read = {p: Position(a.generation, a.last + 1) for p, a in self._assignments.items() if a.last >= 0}
        return {partition: position for partition, position in read.items() if self._noted.get(partition) != position}

    patch(NotingTracker, "_unnoted", unnoted)


@mutant("P13", "P1", "P2", "P4", trial="index_from_an_older_copy")
def trust_every_index() -> None:
    """The positions in the index are not compared with the offsets."""
    for module in (_INDEX_CHECK, _POSITIONS):
        patch(module, "find_mismatch", lambda *_args: None)


@mutant("P1", "P2", "P4", trial="index_from_an_older_copy")
def answer_from_an_old_copy() -> None:
    """A mismatch is reported, but searches are still answered."""
    patch(Integrity, "fault", None)  # what the worker found
    patch(_SEARCHER, "missing_reason", lambda _missing: None)  # what the index says of itself
