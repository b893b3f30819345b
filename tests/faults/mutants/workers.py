"""How a worker lives: P7 to P10 broken."""

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
from delivery.offsets import OffsetTracker
from stream import compose
from stream.pipeline import Pipeline
from stream.steps import Operator, Step
from stream.writer import Writer
from tests.faults import outages, trials
from tests.faults.mutants.mutant import mutant, patch
from tests.rigs.calm import calm_clock

#: A module whose names are replaced.
_COMPOSE: Any = compose

# --- P7: bounds


@mutant("P7", trial=outages.flood)
def unlimited_credits() -> None:
    """There is always room for more."""
    patch(Credits, "_room", lambda _self: 10**6)


@mutant("P7", trial=outages.flood_of_long_ones)
def count_no_bytes() -> None:
    """A long record is a record like any other."""
    room = Credits._room

    def short_sighted(self: Credits) -> int:
        held, self._bytes = self._bytes, 0
        try:
            return room(self)
        finally:
            self._bytes = held

    patch(Credits, "_room", short_sighted)


# --- P8: an outage evicts nobody


@mutant("P8", trial=outages.long_outage)
def wait_in_the_polling_thread() -> None:
    """A batch is written before the next poll, however long that takes."""

    def waiting(self: Writer[Any], batch: Batch[Any]) -> None:
        self._progress.submitted()
        self._run(batch)

    patch(Writer, "submit", waiting)


@mutant("P8", trial=outages.customers_out)
def ask_before_the_next_poll() -> None:
    """The polling thread itself waits for the customers' directory."""
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


@mutant("P8", trial=outages.long_outage)
def limp_after_an_outage() -> None:
    """Once a write has failed, later ones are held to 60 records in a calm second."""
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


# --- P9: an orderly end


@mutant("P9", trial=trials.terminated)
def leave_without_draining() -> None:
    """SIGTERM ends the reading and the committing at once; what is being written is written all the same."""

    def stop(self: GroupConsumer, since: float | None = None) -> None:
        del since
        if not self._closed:
            self._closed = True
            self._assignment.limit_waits(0)
            self._client.close()

    patch(GroupConsumer, "stop", stop)


@mutant("P9", trial=trials.terminated)
def die_of_sigterm() -> None:
    """Nobody handles the signal."""
    patch(Pipeline, "stop", lambda _self: os._exit(143))


@mutant("P9", trial=trials.terminated_without_a_broker)
def wait_for_the_farewell() -> None:
    """The worker leaves when the broker has answered its last commit and its leaving, whenever that is."""

    def patient(_seconds: float, call: Callable[[], object]) -> bool:
        call()
        return True

    patch(consumer, "ends_within", patient)


# --- P10: rebalances


@mutant("P10", trial=trials.joins_and_leaves)
def give_partitions_away_undone() -> None:
    """A revoked partition goes at once, with no wait and no last commit."""
    patch(OffsetTracker, "wait_drained", lambda _self, _partitions, _timeout_s: False)
    patch(Committer, "commit_revoked", lambda _self, _consumer, _partitions: None)
