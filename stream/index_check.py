"""Compares an index with a worker's log and consumer group, before the worker joins the group."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct

from connectors.kafka.lag import PartitionLag
from connectors.qdrant.provenance import ProvenanceStore
from core.errors import TransientError, UnavailableError
from core.provenance import (
    LogIdentity,
    Mismatch,
    MismatchError,
    Offsets,
    Progress,
    Provenance,
    find_mismatch,
    records_missing,
)
from core.settings import IndexSettings
from stream.integrity import CONFIRM_S, Integrity
from stream.stored_settings import require_same_version, warn_of_changes

logger: Final = logging.getLogger("ticketstream.stream")

#: Maximum wait of a rewind for other workers, which also stop, to leave the group, in seconds.
_REWIND_S: Final = 60.0
_REWIND_TRY_S: Final = 3.0


class GroupOffsets(Protocol):
    """The part of `connectors.kafka.admin.Cluster` that a check needs."""

    def identify(self, topic: str) -> LogIdentity: ...

    def lag(self, topic: str, group: str) -> Sequence[PartitionLag]: ...

    def rewind(self, topic: str, group: str, offsets: Mapping[int, int], *, patience_s: float) -> None: ...


class GroupState(Struct, frozen=True):
    """The offsets that a group has committed in a log, and the records that were deleted before it had read them."""

    committed: Offsets
    expired: int


class _Seen(Struct, frozen=True):
    """The index, the log and the group. The index is read last, because a position is noted before it is committed."""

    log: LogIdentity
    lags: Sequence[PartitionLag]
    found: Provenance

    @property
    def committed(self) -> Offsets:
        return group_state(self.log, self.lags).committed

    @property
    def expired(self) -> int:
        return group_state(self.log, self.lags).expired

    @property
    def mismatch(self) -> Mismatch | None:
        return find_mismatch(self.found, self.log, self.committed)

    @property
    def progress(self) -> Progress:
        return self.found.of(self.log)

    @property
    def lacking(self) -> Offsets:
        """The index's position in each partition in which it is below the group's commit."""
        held = self.progress.positions
        return {n: held.get(n, 0) for n, offset in self.committed.items() if held.get(n, 0) < offset}


class IndexCheck:
    """Compares an index with a worker's log and group."""

    def __init__(self, store: ProvenanceStore, offsets: GroupOffsets, *, topic: str, group: str, where: str) -> None:
        """Check the index in `store`; `where` is its folder or collection, for messages."""
        self._store = store
        self._offsets = offsets
        self._topic = topic
        self._group = group
        self._where = where
        #: The log's bounds and the group's offsets, as `start` has seen them.
        self.lags: Sequence[PartitionLag] = ()

    def start(
        self, settings: IndexSettings, stored: Mapping[str, str], integrity: Integrity
    ) -> tuple[Provenance, LogIdentity]:
        """Check before the group is joined, and prepare the index to be written. Returns its provenance, and the log.

        Args:
            settings: has the action on a mismatch.
            stored: the settings that decide what is stored.
            integrity: gets the result.

        Raises:
            MismatchError: the index lacks what the group has committed, or belongs to another log.
            ConfigError: it was written with another kind of version.
            UnavailableError: the broker doesn't answer, or the group can't be reset.
        """
        seen = self._look()
        require_same_version(seen.found.settings, stored)
        if seen.found.is_adoptable(seen.log):
            self._adopt(seen)
            seen = self._look()
        if seen.mismatch is not None:
            time.sleep(CONFIRM_S)
            seen = self._look()
        if seen.mismatch is not None and seen.mismatch.kind == "recreated" and settings.on_mismatch == "reread":
            seen = self._accept(seen, seen.mismatch)
        if seen.mismatch is not None:
            self._answer(seen, seen.mismatch, settings, integrity)
        self._note_log(seen)
        if seen.found.settings != stored:
            warn_of_changes(seen.found.settings, stored)
            self._store.note_settings(stored)
        if seen.progress.expired != seen.expired:
            self._store.note_expired(seen.progress.log, seen.expired)
        found, self.lags = _existing(self._store.read()), seen.lags
        integrity.observed(found)
        return found, seen.log

    def ask(self) -> GroupState:
        """The group's offsets now.

        Raises:
            UnavailableError: the broker doesn't answer.
        """
        return group_state(self._offsets.identify(self._topic), self._offsets.lag(self._topic, self._group))

    def _look(self) -> _Seen:
        log = self._offsets.identify(self._topic)
        lags = self._offsets.lag(self._topic, self._group)
        return _Seen(log, lags, _existing(self._store.read()))

    def _note_log(self, seen: _Seen) -> None:
        """Note the log, unless it is noted already. The noted identity stays, even if more is known of it now."""
        if seen.progress not in seen.found.logs:
            self._store.note_log(seen.log)

    def _adopt(self, seen: _Seen) -> None:
        """Assume that an index without positions holds every record that the group has committed."""
        if seen.lacking:
            logger.warning(
                "the index in %s was written by an earlier version, which noted no positions; it is assumed to hold "
                "everything that group %s has committed (`ticketstream reconcile` checks that)",
                self._where,
                self._group,
            )
        self._note_log(seen)
        self._store.advance(seen.progress.log, {n: (held, seen.committed[n]) for n, held in seen.lacking.items()})

    def _accept(self, seen: _Seen, mismatch: Mismatch) -> _Seen:
        """Read a topic that was created again into the index, from the topic's beginning."""
        logger.warning(
            "%s; it is read into the index now (TICKETS_INDEX__ON_MISMATCH), which keeps the tickets of the "
            "old topic, whose higher versions still win: run `ticketstream rebuild` unless both topics hold "
            "the same tickets",
            mismatch.reason,
        )
        self._store.note_log(seen.log)
        return self._look()

    def _answer(self, seen: _Seen, mismatch: Mismatch, settings: IndexSettings, integrity: Integrity) -> None:
        """Reset the group, if the settings allow it and the log still has the missing records.

        Raises:
            MismatchError: otherwise.
        """
        starts = {lag.partition: lag.start for lag in seen.lags if lag.partition in seen.lacking}
        expired = records_missing(seen.progress.positions, starts)
        if mismatch.kind not in {"other_log", "recreated"}:
            before = seen.progress.until
            until = {n: max(offset, before.get(n, 0)) for n, offset in seen.committed.items()}
            self._note_log(seen)
            self._store.note_until(seen.progress.log, {**before, **until})
        if mismatch.kind in {"other_log", "recreated"} or expired or settings.on_mismatch == "stop":
            integrity.broke(mismatch)
            advice = advice_on(mismatch, where=self._where, topic=self._topic, expired=expired)
            raise MismatchError(f"{mismatch.reason}; {advice}")
        logger.warning("%s; they are read again now (TICKETS_INDEX__ON_MISMATCH)", mismatch.reason)
        self._rewind(seen)

    def _rewind(self, seen: _Seen) -> None:
        """Reset the group to the index's positions, unless another worker does.

        Raises:
            UnavailableError: the group still has members.
        """
        deadline = time.monotonic() + _REWIND_S
        while seen.mismatch is not None:
            try:
                self._offsets.rewind(self._topic, self._group, seen.lacking, patience_s=_REWIND_TRY_S)
            except UnavailableError:
                if time.monotonic() > deadline:
                    raise
                seen = self._look()
            else:
                return


def group_state(log: LogIdentity, lags: Sequence[PartitionLag]) -> GroupState:
    """A group's commits in `log`, without those in an earlier topic of its name."""
    own = [lag for lag in lags if None in {lag.topic_id, log.topic_id} or lag.topic_id == log.topic_id]
    committed = {lag.partition: lag.committed for lag in own if lag.committed is not None}
    return GroupState(committed, sum(lag.expired for lag in own))


def advice_on(mismatch: Mismatch, *, where: str, topic: str, expired: int = 0) -> str:
    """Advice on a mismatch.

    Args:
        mismatch: the mismatch.
        where: the index's folder or collection.
        topic: the log.
        expired: number of the missing records that the log no longer holds.
    """
    if mismatch.kind == "other_log":
        return (
            f"run `ticketstream rebuild`, which makes an index of this log, or correct the settings of {where} or of "
            "the broker"
        )
    if mismatch.kind == "recreated":
        return (
            "run `ticketstream rebuild`, which makes an index of the new topic, or set "
            "TICKETS_INDEX__ON_MISMATCH=reread to read it into this one"
        )
    if mismatch.kind == "replaced":
        return "start the worker again; it checks the index"
    if expired:
        return (
            f"{topic} no longer has {expired:,} of them, so restore a newer copy of {where}, or run "
            f"`ticketstream rebuild`, which makes an index of the topic's remaining records"
        )
    if mismatch.kind == "unfinished":
        return "run `ticketstream rebuild` again, or set TICKETS_INDEX__ON_MISMATCH=reread"
    return (
        f"restore a newer copy of {where}, or set TICKETS_INDEX__ON_MISMATCH=reread to read the missing records again; "
        "a new index needs a new TICKETS_KAFKA__GROUP"
    )


def _existing(found: Provenance | None) -> Provenance:
    """The provenance, which exists since the index was opened for writing.

    Raises:
        TransientError: it is gone.
    """
    if found is None:
        raise TransientError("the index was emptied or replaced while it was being opened")
    return found
