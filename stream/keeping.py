"""Opens the keeper of an index's positions, after checking the index against the group's offsets."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Final

from connectors.kafka.admin import open_cluster
from connectors.kafka.lag import PartitionLag
from connectors.kafka.reader import find_cut
from connectors.qdrant.policy import VersionedIndex
from core.errors import UnavailableError
from core.provenance import Offsets
from core.settings import KafkaSettings, Settings
from delivery.noting import NotingTracker
from stream.index_check import IndexCheck
from stream.index_size import SizeWatch
from stream.positions import PositionKeeper
from stream.roles import Role
from stream.servers import WorkerState
from stream.stored_settings import stored_settings

logger: Final = logging.getLogger("ticketstream.stream")

#: Timeout of requests to the broker while the worker runs. Notes, and therefore a drain, wait for them.
_ASK_S: Final = 2.0


def open_keeper(
    settings: Settings, *, kafka: KafkaSettings, role: Role, state: WorkerState, index: VersionedIndex, stack: ExitStack
) -> PositionKeeper:
    """Check that the index holds every committed record, and open the keeper, which maintains this.

    Args:
        settings: of the worker.
        kafka: with the role's group.
        role: of the worker.
        state: gets the result.
        index: to be checked.
        stack: closes what is opened.

    Raises:
        MismatchError: the index lacks what the group has committed, or belongs to another log.
    """

    def check(client: KafkaSettings) -> IndexCheck:
        """A check with a new client, because a permanent client would log every outage of the broker."""
        topic = role.reads(settings.topics)
        return IndexCheck(index.store, open_cluster(client), topic=topic, group=kafka.group, where=settings.index.where)

    hurried = kafka.model_copy(update={"startup_timeout_s": min(_ASK_S, kafka.startup_timeout_s)})
    checked, stored = check(kafka), stored_settings(settings, role)
    started, log = checked.start(settings.index, stored, state.integrity)
    held = started.of(log).positions
    if lost := overtaken(held, checked.lags):
        with suppress(UnavailableError):  # others have joined the group, and commit
            open_cluster(kafka).rewind(log.topic, kafka.group, lost, patience_s=_ASK_S)
        started, log = checked.start(settings.index, stored, state.integrity)
    if (beyond := beyond_end(held, checked.lags)) and (cut := find_cut(kafka, log.topic, beyond)) is not None:
        logger.warning("%s; its tickets stay in the index", cut)
        state.integrity.cut = cut
    size = SizeWatch(index.size, state.telemetry)
    keeper = PositionKeeper(
        index.store,
        NotingTracker(),
        started=started,
        log=log,
        ask=lambda: check(hurried).ask(),
        losses=lambda: state.observer.lost,
        integrity=state.integrity,
        interval_s=kafka.commit_interval_s,
        where=settings.index.where,
    )
    stack.callback(size.close)
    stack.callback(keeper.close)
    size.start()
    return keeper


def overtaken(positions: Offsets, lags: Sequence[PartitionLag]) -> dict[int, int]:
    """The index's positions where the group's offsets have expired, and records behind them too, by partition.

    From these offsets on the group counts what it has missed. Without an offset it would begin behind that in silence.
    """
    uncommitted = [lag for lag in lags if lag.committed is None]
    return {lag.partition: at for lag in uncommitted if 0 < (at := positions.get(lag.partition, 0)) < lag.start}


def beyond_end(positions: Offsets, lags: Sequence[PartitionLag]) -> dict[int, int]:
    """The index's positions beyond the end of the log, as far as the broker reports it, by partition."""
    return {lag.partition: at for lag in lags if (at := positions.get(lag.partition, 0)) > lag.end}
