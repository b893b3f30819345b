"""Pipelines broken on purpose, each in one way that a hurried change could break it: all must be caught.

`TICKETS_TEST_MUTANT=NAME python -m tests.faults.run plain` is a worker broken so. The product knows nothing of it.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from itertools import count
from threading import Event, Lock, local
from typing import Any, Final
from uuid import uuid4

import qdrant_edge as edge
from msgspec import Struct

from connectors.index import layout, policy
from connectors.index.embedded import EdgeEngine
from connectors.index.engine import AnyOf, Condition, Upsert
from connectors.index.policy import VersionedIndex
from connectors.kafka import consumer
from connectors.kafka.commits import Committer
from connectors.kafka.consumer import GroupConsumer
from connectors.kafka.dead_letters import DeadLetterTopic
from core.errors import TransientError
from core.records import Batch, Record, Rejected, SearchQuery, TicketPoints
from delivery.credits import Credits
from delivery.offsets import OffsetTracker, Receipt, _Assignment
from operators import points as pointing
from tests.faults import trials
from tests.faults.trials import Trial
from worker import plan
from worker.pipeline import Pipeline
from worker.writer import Writer

_FAR: Final = 2**53
#: Modules whose names are replaced: what they import is theirs, whether they export it or not.
_LAYOUT: Any = layout
_POLICY: Any = policy
_CONSUMER: Any = consumer
_POINTING: Any = pointing
_PLAN: Any = plan


class Mutant(Struct, frozen=True):
    """A way to break the pipeline.

    Attributes:
        promises: those of which at least one must be seen broken.
        budget_s: within which the trial must see it, on a machine of two cores.
        apply: breaks the product in this process.
    """

    promises: tuple[str, ...]
    trial: Trial
    budget_s: float
    apply: Callable[[], None]


MUTANTS: Final[dict[str, Mutant]] = {}


def _mutant(*promises: str, trial: Trial, budget_s: float = 30.0) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def keep(apply: Callable[[], None]) -> Callable[[], None]:
        MUTANTS[apply.__name__] = Mutant(promises, trial, budget_s, apply)
        return apply

    return keep


def _patch(owner: Any, name: str, value: Any) -> None:
    setattr(owner, name, value)


# --- P1: nothing is lost


@_mutant("P1", "P4", trial=trials.outage_then_kill)
def auto_commit() -> None:
    """The client commits what it has handed out."""
    options = _CONSUMER.consumer_options
    auto = {"enable.auto.commit": True, "enable.auto.offset.store": True, "auto.commit.interval.ms": 100}
    _patch(_CONSUMER, "consumer_options", lambda settings: options(settings) | auto)


@_mutant("P1", "P4", trial=trials.outage_then_kill)
def ack_before_the_write() -> None:
    """A batch is acked when it is handed over."""
    submit, ack = Writer.submit, GroupConsumer.ack

    def hasty(self: Writer, batch: Batch[Any]) -> None:
        self._ack(batch.receipt)
        submit(self, Batch(batch.items, None))

    def once(self: GroupConsumer, receipt: Receipt | None) -> None:
        if receipt is not None:
            ack(self, receipt)

    _patch(Writer, "submit", hasty)
    _patch(GroupConsumer, "ack", once)


@_mutant("P1", trial=trials.one_batch_waits)
def commit_the_highest_ack() -> None:
    """The watermark follows the latest ack, over what is still on its way."""

    def ack(self: _Assignment, offsets: Sequence[int]) -> None:
        self.delivered.clear()
        self.watermark = max(self.watermark or 0, max(offsets) + 1)

    _patch(_Assignment, "ack", ack)


@_mutant("P1", "P4", trial=trials.outage_then_kill)
def give_up_after_three_tries() -> None:
    """Every third failure counts as a success."""

    write, tries = VersionedIndex.write, count(1)

    def tired(self: VersionedIndex, tickets: Sequence[TicketPoints]) -> None:
        try:
            write(self, tickets)
        except TransientError:
            if next(tries) % 3:
                raise

    _patch(VersionedIndex, "write", tired)


# --- P2: versions never go down


@_mutant("P2", "P1", "P4", trial=trials.late_versions)
def plain_upsert() -> None:
    """Whatever comes last wins."""
    _unconditional()
    lookup = EdgeEngine.lookup
    _patch(EdgeEngine, "lookup", lambda self, ids, fields: {} if "state" in fields else lookup(self, ids, fields))


@_mutant("P2", "P1", trial=trials.held_write)
def read_then_write() -> None:
    """The stored version is read first, and the write trusts it."""
    _unconditional()


def _unconditional() -> None:
    upserts = _POLICY._upserts
    _patch(_POLICY, "_upserts", lambda tickets: [Upsert(u.points, _FAR) for u in upserts(tickets)])


# --- P3, P5: the index is a function of the log


@_mutant("P3", "P5", "P1", "P4", trial=trials.replay)
def random_point_ids() -> None:
    """Every write makes new points."""

    def fresh(_tenant_id: str, _ticket_id: str, _chunk: int) -> str:
        return str(uuid4())

    for module in (_POINTING, _LAYOUT, _POLICY):
        _patch(module, "point_id", fresh)


@_mutant("P5", "P3", trial=trials.late_versions)
def wall_clock_in_the_payload() -> None:
    """A point says when it was written."""
    to_points = _PLAN.to_points

    def stamped(tickets: Sequence[Any]) -> Any:
        made = to_points(tickets)
        for points in made:
            for point in points.points:
                point.payload["indexed_at"] = time.time()
        return made

    _patch(_PLAN, "to_points", stamped)


# --- P4: what is deleted stays deleted


@_mutant("P4", "P1", "P5", trial=trials.late_versions)
def hard_delete() -> None:
    """A delete takes the points away, and its version with them."""
    write = VersionedIndex._write

    def deleting(self: VersionedIndex, tickets: Sequence[TicketPoints]) -> None:
        write(self, [ticket for ticket in tickets if ticket.points])
        gone: list[Any] = [_POLICY._head_id(ticket) for ticket in tickets if not ticket.points]
        if gone:
            engine: Any = self.engine
            engine._shard.update(edge.UpdateOperation.delete_points(gone))

    _patch(VersionedIndex, "_write", deleting)


# --- P6: exactly the bad ones, with their bytes


@_mutant("P6", trial=trials.late_versions)
def swallow_what_is_broken() -> None:
    """A record that can't be used is skipped without a word."""
    _patch(DeadLetterTopic, "publish", lambda _self, _rejected: None)


@_mutant("P6", "P1", "P4", trial=trials.late_versions)
def reject_the_whole_batch() -> None:
    """One bad record takes its batch along."""
    decode = _PLAN.decode

    def strict(records: Sequence[Record], **resources: Any) -> Any:
        results = decode(records, **resources)
        if not any(isinstance(result, Rejected) for result in results):
            return results
        return [Rejected(record, "decode", "bad_batch", "a record of its batch can't be used") for record in records]

    _patch(_PLAN, "decode", strict)


@_mutant("P6", "P8", trial=trials.outage_then_kill)
def dead_letter_on_outage() -> None:
    """What can't be written now is put aside."""
    write, run = VersionedIndex.write, Writer._run
    here = local()

    def impatient(self: VersionedIndex, tickets: Sequence[TicketPoints]) -> None:
        try:
            write(self, tickets)
        except TransientError:
            items = here.batch.items
            letters = [Rejected(_record_of(item), "index", "outage", "the index is out") for item in items]
            here.writer._dead_letters.publish(letters)

    def remembered(self: Writer, unfinished: Batch[Any]) -> None:
        here.writer, here.batch = self, unfinished
        run(self, unfinished)

    _patch(Writer, "_run", remembered)
    _patch(VersionedIndex, "write", impatient)


def _record_of(item: Any) -> Record:
    """The record that an unfinished item was made from."""
    record: Record = item.record if isinstance(item, Rejected) else item.ticket.record
    return record


# --- P7: bounds


@_mutant("P7", trial=trials.flood)
def unlimited_credits() -> None:
    """There is always room for more."""
    _patch(Credits, "_room", lambda _self: 10**6)


# --- P8: an outage evicts nobody


@_mutant("P8", trial=trials.long_outage)
def wait_in_the_polling_thread() -> None:
    """A batch is written before the next poll, however long that takes."""

    def waiting(self: Writer, batch: Batch[Any]) -> None:
        self._progress.started()
        self._run(batch)

    _patch(Writer, "submit", waiting)


@_mutant("P8", trial=trials.long_outage)
def limp_after_an_outage() -> None:
    """Once a write has failed, all that come later pass one by one, with a rest after each: 90 records/s at most."""
    write, limping, alone = VersionedIndex.write, Event(), Lock()

    def lame(self: VersionedIndex, tickets: Sequence[TicketPoints]) -> None:
        try:
            write(self, tickets)
        except TransientError:
            limping.set()
            raise
        if limping.is_set():
            with alone:
                time.sleep(len(tickets) / 90)

    _patch(VersionedIndex, "write", lame)


# --- P9: an orderly end


@_mutant("P9", trial=trials.terminated)
def leave_without_draining() -> None:
    """SIGTERM ends the reading and the committing at once; what is being written is written all the same."""

    def stop(self: GroupConsumer) -> None:
        if not self._closed:
            self._closed = True
            self._consumer.close()

    _patch(GroupConsumer, "stop", stop)


@_mutant("P9", trial=trials.terminated)
def die_of_sigterm() -> None:
    """Nobody handles the signal."""
    _patch(Pipeline, "stop", lambda _self: os._exit(143))


# --- P10: rebalances


@_mutant("P10", trial=trials.joins_and_leaves)
def give_partitions_away_undone() -> None:
    """A revoked partition goes at once, with no wait and no last commit."""
    _patch(OffsetTracker, "wait_drained", lambda _self, _partitions, _timeout_s: False)
    _patch(Committer, "commit_now", lambda _self, _consumer, _partitions=None: None)


# --- P11: nobody sees another's


@_mutant("P11", trial=trials.tenants_apart)
def search_all_tenants() -> None:
    """The tenant is no condition of a search, and nobody looks again at what it found."""
    conditions = _POLICY._conditions

    def open_to_all(query: SearchQuery) -> list[Condition]:
        return [c for c in conditions(query) if not (isinstance(c, AnyOf) and c.field == "tenant_id")]

    _patch(_POLICY, "_conditions", open_to_all)
    _patch(_POLICY, "_of_tenant", lambda found, _tenant_id: found)


# --- privacy


@_mutant("privacy", trial=trials.private_data)
def no_redaction() -> None:
    """Texts are indexed as they come."""
    _patch(_PLAN, "redact", lambda tickets: tickets)


@_mutant("privacy", trial=trials.private_data)
def log_what_is_rejected() -> None:
    """A rejected record is quoted in the log."""
    publish = DeadLetterTopic.publish

    def quoting(self: DeadLetterTopic, rejected: Sequence[Rejected]) -> None:
        for item in rejected:
            logging.getLogger("ticketstream.worker").warning("rejected: %r", item.record.value)
        publish(self, rejected)

    _patch(DeadLetterTopic, "publish", quoting)
