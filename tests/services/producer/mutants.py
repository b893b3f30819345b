"""Mutants of the producer, each of which a careless change could cause. The kills must find all of them.

`FAILPOINTS` has the point of the kill that reveals the fault; None if two tasks reveal it without a kill.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from connectors.checkpoints.sqlite import SqliteCheckpoints
from core.failpoints import ProducerPoint, failpoint
from services.producer.leases import Leases
from services.producer.sending import Sending
from tests.faults.mutants.mutant import patch


def save_before_the_ack() -> None:
    """The checkpoint is written before the broker has the records."""
    send = Sending.send

    def eager(self: Any, file: Any, batch: Any) -> None:
        self._leases.save(batch.checkpoint)
        failpoint("lines_acked")
        send(self, file, batch)

    patch(Sending, "send", eager)


def trust_every_lease() -> None:
    """Every task reads every file."""

    def claim(self: Any, checkpoint: Any) -> Any:
        lease = self._store.load().get(checkpoint.file_id)
        return (
            self._store.claim(checkpoint, self.owner, now_ms=2**60, until_ms=2**61)
            if lease is None
            else lease.checkpoint
        )

    patch(Leases, "claim", claim)
    patch(Leases, "free", lambda _self, _lease: True)
    patch(Leases, "held", lambda _self, _checkpoint: True)
    patch(SqliteCheckpoints, "save", lambda _self, _checkpoint, _owner: True)


def save_nothing() -> None:
    """Checkpoints are never written, so a task that takes over starts at the beginning."""
    patch(Leases, "save", lambda _self, _checkpoint: True)


MUTANTS: Final[Mapping[str, Callable[[], None]]] = {
    mutant.__name__: mutant for mutant in (save_before_the_ack, trust_every_lease, save_nothing)
}

#: The failpoint at which a kill reveals the mutant.
FAILPOINTS: Final[Mapping[str, ProducerPoint | None]] = {
    "save_before_the_ack": "lines_acked",
    "trust_every_lease": None,
    "save_nothing": "checkpoint_saved",
}
