"""Mutants that break P7 to P10: memory, outages, shutdown and rebalances."""

import os
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from msgspec import structs

from connectors.kafka import consumer
from connectors.kafka.commits import Committer
from connectors.kafka.consumer import GroupConsumer
from connectors.qdrant.policy import VersionedIndex
from core.errors import TransientError
from core.records import Batch, TicketPoints
from delivery.credits import Credits
from delivery.noting import NotingTracker
from delivery.offsets import OffsetTracker
from models.run import encoder
from stream import compose
from stream.pipeline import Pipeline
from stream.steps import Operator, Step
from stream.writer import Writer
from tests.faults.mutants.mutant import mutant, patch
from tests.rigs.calm import calm_clock

#: Modules whose imported names are replaced. `Any`, because they don't export those names.
_COMPOSE: Any = compose
_ENCODER: Any = encoder

# --- P7: memory is bounded


@mutant("P7", trial="flood")
def unlimited_credits() -> None:
    """Credits never run out."""
    patch(Credits, "_room", lambda _self: 10**6)


@mutant("P7", trial="flood_of_long_ones")
def count_no_bytes() -> None:
    """Credits count records and not their bytes."""
    room = Credits._room

    def short_sighted(self: Credits) -> int:
        held, self._bytes = self._bytes, 0
        try:
            return room(self)
        finally:
            self._bytes = held

    patch(Credits, "_room", short_sighted)


@mutant("P7", trial="memory_of_the_default_model")
def run_large_batches() -> None:
    """The model runs all texts of a batch in calls of 16,384 tokens."""
    few = _ENCODER.split
    patch(_ENCODER, "split", lambda lengths, **options: few(lengths, **(options | {"budget": 16_384})))


# --- P8: an outage evicts nobody


@mutant("P8", trial="long_outage")
def write_in_the_polling_thread() -> None:
    """The polling thread writes each batch itself before it polls again."""

    def waiting(self: Writer[Any], batch: Batch[Any]) -> None:
        self._progress.submitted()
        self._run(batch)

    patch(Writer, "submit", waiting)


@mutant("P8", trial="customers_out")
def look_up_in_the_polling_thread() -> None:
    """The polling thread looks customers up itself, and waits during an outage."""
    assemble = _COMPOSE._assemble

    def eager(worker: Any, stack: Any, *, steps: Sequence[Step], finishing: Sequence[Step], **more: Any) -> Any:
        lookups = [structs.replace(step, operator=_until_answered(step.operator)) for step in finishing if step.calls]
        left = [step for step in finishing if not step.calls]
        return assemble(worker, stack, steps=[*steps, *lookups], finishing=left, **more)

    patch(_COMPOSE, "_assemble", eager)


def _until_answered(operator: Operator) -> Operator:
    def answered(items: Sequence[Any]) -> Sequence[Any]:
        while True:
            try:
                return operator(items)
            except TransientError:
                time.sleep(0.05)

    return answered


@mutant("P8", trial="long_outage")
def slow_after_an_outage() -> None:
    """After a failed write, later writes are limited to 60 records a second, of calm seconds."""
    write, pace = VersionedIndex.write, Lock()
    due: list[float] = []

    def lame(self: VersionedIndex, tickets: Sequence[TicketPoints]) -> None:
        try:
            write(self, tickets)
        except TransientError:
            due[:] = [calm_clock()]
            raise
        if due:
            with pace:
                mine = due[0] = max(due[0], calm_clock()) + len(tickets) / 60
            while calm_clock() < mine:
                time.sleep(0.02)

    patch(VersionedIndex, "write", lame)


# --- P9: SIGTERM drains and ends with 0


@mutant("P9", trial="terminated")
def leave_without_draining() -> None:
    """SIGTERM closes the consumer at once, while batches are still being written."""

    def stop(self: GroupConsumer, since: float | None = None) -> None:
        del since
        if not self._closed:
            self._closed = True
            self._assignment.limit_waits(0)
            self._client.close()

    patch(GroupConsumer, "stop", stop)


@mutant("P9", trial="terminated")
def die_of_sigterm() -> None:
    """SIGTERM ends the process at once."""
    patch(Pipeline, "stop", lambda _self: os._exit(143))


@mutant("P9", trial="terminated_without_a_broker")
def wait_forever_to_leave() -> None:
    """The worker waits without limit for the broker's answers to its last commit and to its leaving."""

    def patient(_seconds: float, call: Callable[[], object]) -> bool:
        call()
        return True

    patch(consumer, "ends_within", patient)


@mutant("P9", trial="terminated_before_its_first_commit")
def ask_until_the_broker_answers() -> None:
    """Writing the last positions waits until the broker answers with the group's offsets."""
    patch(NotingTracker, "group_offsets", lambda _self: None)


# --- P10: rebalances lose nothing and repeat few records


@mutant("P10", trial="joins_and_leaves")
def release_partitions_undrained() -> None:
    """A revoked partition is given away without waiting for its batches and without a last commit."""
    patch(OffsetTracker, "wait_drained", lambda _self, _partitions, _timeout_s: False)
    patch(Committer, "commit_revoked", lambda _self, _consumer, _partitions: None)
