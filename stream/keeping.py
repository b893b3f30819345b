"""Opens what keeps an index and a group's offsets together: the check at the start, and the watch from then on."""

from contextlib import ExitStack
from typing import Final

from connectors.kafka.admin import open_cluster
from connectors.qdrant.policy import VersionedIndex
from core.settings import KafkaSettings, Settings
from delivery.noting import NotingTracker
from stream.index_check import IndexCheck, stored_settings
from stream.index_size import SizeWatch
from stream.positions import PositionKeeper
from stream.roles import Role
from stream.servers import WorkerState

#: Timeout of a question to the broker while the worker runs. Nothing is noted meanwhile, and a drain waits for that.
_ASK_S: Final = 2.0


def open_keeper(
    settings: Settings, *, kafka: KafkaSettings, role: Role, state: WorkerState, index: VersionedIndex, stack: ExitStack
) -> PositionKeeper:
    """Check that the index holds what the group has committed. The keeper sees to it that this stays true.

    Args:
        settings: of the worker.
        kafka: with the role's group.
        role: what the worker does.
        state: told what is found.
        index: to be checked.
        stack: closes what is opened.

    Raises:
        MismatchError: the index lacks what the group has committed, or belongs to another log.
    """

    def check(client: KafkaSettings) -> IndexCheck:
        """A check with a client of its own: a client that is kept would log every outage of the broker."""
        topic = role.reads(settings.topics)
        return IndexCheck(index.store, open_cluster(client), topic=topic, group=kafka.group, where=settings.index.where)

    hurried = kafka.model_copy(update={"startup_timeout_s": min(_ASK_S, kafka.startup_timeout_s)})
    started, log = check(kafka).start(settings.index, stored_settings(settings, role), state.integrity)
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
