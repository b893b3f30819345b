"""The log of an index's workers, and the notes of positions by repairs and rebuilds."""

from collections.abc import Mapping

from connectors.kafka.admin import open_cluster
from connectors.qdrant.provenance import ProvenanceStore
from core.provenance import LogIdentity, Offsets, Progress, find_mismatch
from core.settings import Settings
from runtime.control import WorkerStatus
from stream.index_check import group_state
from stream.roles import EMBEDDING, PIPELINE
from stream.stored_settings import stored_settings


class WorkersLog:
    """The log that the workers of an index read, and their group's offsets in it."""

    def __init__(self, settings: Settings, *, split: bool) -> None:
        """`split`: the workers are of the embedding role."""
        self.split = split
        role = EMBEDDING if split else PIPELINE
        self._kafka = settings.kafka.model_copy(update={"group": role.group(settings.kafka)})
        self._topic = role.reads(settings.topics)
        self.stored: Mapping[str, str] = stored_settings(settings, role)

    def identify(self) -> LogIdentity:
        """The log's identity on its broker.

        Raises:
            UnavailableError: no broker answers, or the topic is missing.
        """
        return open_cluster(self._kafka).identify(self._topic)

    def committed(self) -> Offsets:
        """Offsets that the group has committed, by partition.

        Raises:
            UnavailableError: no broker answers, or the topic is missing.
        """
        cluster = open_cluster(self._kafka)
        return group_state(cluster.identify(self._topic), cluster.lag(self._topic, self._kafka.group)).committed

    def fault_of(self, status: WorkerStatus | None, committed: Offsets) -> str | None:
        """The reason why the index doesn't match the group's offsets, or None.

        Args:
            status: of the index, read after `committed`; None if there is no index.
            committed: the group's offsets.

        Raises:
            UnavailableError: no broker answers.
        """
        if status is None:
            missing = sum(committed.values())
            group = self._kafka.group
            return f"there is no index, but group {group} has committed {missing:,} record(s)" if missing else None
        if status.fault is not None or status.provenance is None:
            return status.fault
        mismatch = find_mismatch(status.provenance, self.identify(), committed)
        return None if mismatch is None else mismatch.reason


def note_positions(store: ProvenanceStore, log: LogIdentity, held: Offsets) -> None:
    """Note that the index holds the effect of every record of `log` before these offsets."""
    found = store.read()
    known = Progress(log) if found is None else found.of(log)
    if found is None or known not in found.logs:
        store.note_log(log)
    store.advance(known.log, {partition: (0, offset) for partition, offset in held.items()})
