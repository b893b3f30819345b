"""Notes an index's positions in the index before offsets are committed, and detects that it was replaced."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from connectors.qdrant.provenance import ProvenanceStore
from core.errors import FatalError, TicketstreamError, TransientError, UnavailableError
from core.failpoints import failpoint
from core.provenance import LogIdentity, Mismatch, MismatchError, Provenance, find_mismatch, records_missing
from delivery.noting import NotingTracker, Position
from delivery.offsets import TopicPartition
from stream.index_check import GroupState, advice_on
from stream.integrity import CONFIRM_S, SHOWN_S, Integrity

logger: Final = logging.getLogger("ticketstream.positions")

#: Seconds between checks of an idle index.
_LOOK_S: Final = 2.0
_RETRY_S: Final = 0.5
#: Maximum wait of `close` for a call of the index, in seconds.
_CLOSE_S: Final = 3.0


class _FoundError(Exception):
    """The index is not the one that was opened, or lacks records that it held."""

    def __init__(self, mismatch: Mismatch) -> None:
        super().__init__(mismatch.reason)
        self.mismatch = mismatch


class PositionKeeper:
    """Runs on its own thread, because the polling thread must not wait for a slow index."""

    def __init__(
        self,
        store: ProvenanceStore,
        tracker: NotingTracker,
        *,
        started: Provenance,
        log: LogIdentity,
        ask: Callable[[], GroupState],
        losses: Callable[[], int],
        integrity: Integrity,
        interval_s: float,
        where: str,
    ) -> None:
        """Describe the keeper; `start` starts its thread.

        Args:
            store: the index's provenance.
            tracker: has the positions to note.
            started: the provenance after the check at the start.
            log: what the worker reads.
            ask: gets the group's offsets from the broker, after an assignment or when records have expired.
            losses: number of records that this worker has found to be expired.
            integrity: gets the results.
            interval_s: time between notes.
            where: the index's folder or collection, for messages.
        """
        self._store = store
        self.tracker = tracker
        self._log = started.of(log).log
        self._index = started.index
        self._ask = ask
        self._losses = losses
        self._lost = 0
        self._integrity = integrity
        self._interval_s = interval_s
        self._where = where
        self._held = dict(started.of(log).positions)  # as last read: they never decrease
        self._checked: dict[int, int] = {}  # by partition, the generation under which the group's offset was compared
        self._look_at = 0.0
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="positions", daemon=True)
        self._fail: Callable[[BaseException], None] = lambda _error: None

    def start(self, fail: Callable[[BaseException], None]) -> None:
        """Start; `fail` ends the pipeline with an error."""
        self._fail = fail
        self._thread.start()

    def close(self) -> None:
        """Stop. Positions that aren't noted yet are not committed, so their records will be read again."""
        self._closed.set()
        self.tracker.close()
        if self._thread.is_alive():
            self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                self._turn()
        except _FoundError as error:
            self._stop(error.mismatch)
        except BaseException as error:  # noqa: BLE001 - the next poll raises it; here it would only end the thread
            if not self._closed.is_set():
                self._fail(error)

    def _turn(self) -> None:
        positions = self.tracker.await_positions(self._interval_s)
        try:
            if positions:
                self._note(positions)
            elif time.monotonic() >= self._look_at:
                self._read()
            if self._losses() != self._lost:  # after the positions, because the broker may be silent
                self._note_losses()
        except (TransientError, UnavailableError) as error:
            self._integrity.outage = f"positions can't be noted in the index: {error}"
            self._closed.wait(_RETRY_S)
        else:
            self._integrity.outage = None

    def _note(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Advance the index's positions, and mark them as committable once they are read back."""
        wanted = {partition: position.offset for (_topic, partition), position in positions.items()}
        generations = {partition: position.generation for (_topic, partition), position in positions.items()}
        if generations.items() <= self._checked.items():
            found = self._read()
        else:
            assigned = {partition: number for (_topic, partition), number in self.tracker.generations().items()}
            found = self._compare()
            self._checked = assigned
        progress = found.of(self._log)
        moves = {n: (held, offset) for n, offset in wanted.items() if (held := progress.positions.get(n, 0)) < offset}
        if moves:
            if progress not in found.logs:  # a rebuild has put another index in place
                self._store.note_log(self._log)
            self._store.advance(self._log, moves)
            if records_missing(self._read().of(self._log).positions, wanted):
                raise TransientError("the index has not accepted them yet")
        failpoint("after_note")
        self.tracker.noted(positions)

    def _compare(self) -> Provenance:
        """Read the index, and compare it with the group's offsets before these partitions were assigned."""
        committed = self._committed()
        found = self._read()
        if found.is_adoptable(self._log):  # a worker of an earlier version has committed without a note
            held = found.of(self._log).positions
            lacking = {n: held.get(n, 0) for n, offset in committed.items() if held.get(n, 0) < offset}
            self._store.advance(self._log, {n: (before, committed[n]) for n, before in lacking.items()})
        mismatch = find_mismatch(found, self._log, committed)
        if mismatch is not None:
            self._confirm(mismatch, lambda now: find_mismatch(now, self._log, committed))
        return found

    def _committed(self) -> Mapping[int, int]:
        """The group's offsets: from the broker, or else as of the assignment.

        So a silent broker doesn't prevent a drain from noting and committing the last positions.

        Raises:
            UnavailableError: the broker doesn't answer, and didn't at the assignment.
        """
        try:
            return self._ask().committed
        except UnavailableError:
            known = self.tracker.group_offsets()
            if known is None:
                raise
            return {partition: offset for (_topic, partition), offset in known.items() if offset}

    def _note_losses(self) -> None:
        """Note in the index that records have expired, for all its readers."""
        lost = self._losses()
        self._store.note_expired(self._log, self._ask().expired)
        self._read()
        self._lost = lost

    def _read(self) -> Provenance:
        """The provenance of the index that was opened, or of the one that a finished rebuild has put in its place."""
        found = self._load()
        if found is not None and found.replaces == self._index:
            self._follow(found)
        mismatch = self._change(found)
        if mismatch is not None:
            self._confirm(mismatch, self._change)
            return self._read()
        assert found is not None  # noqa: S101 - for mypy: that would be a change
        self._held = dict(found.of(self._log).positions)
        self._look_at = time.monotonic() + _LOOK_S
        self._integrity.observed(found)
        return found

    def _load(self) -> Provenance | None:
        """The provenance, even if the index is missing for a moment, as while it is restored."""
        with suppress(FatalError):
            return self._store.read()
        self._closed.wait(CONFIRM_S)
        try:
            return self._store.read()
        except FatalError as error:
            raise _FoundError(Mismatch("replaced", f"the index can't be read any more ({error})")) from None

    def _follow(self, rebuilt: Provenance) -> None:
        """Write to the index that a rebuild has switched to, once it has all records acked to the old one.

        Raises:
            TransientError: the rebuild has not finished.
        """
        if not rebuilt.finished:
            raise TransientError("a rebuild has replaced it, and is still adding the old index's latest records")
        logger.info("a rebuild has replaced the index in %s", self._where)
        self._index, self._held = rebuilt.index, {}

    def _change(self, found: Provenance | None) -> Mismatch | None:
        """The difference of an index from the one that was opened."""
        if found is None or found.index != self._index:
            return Mismatch(
                "replaced", "the index was emptied or replaced by another one while a worker was writing to it"
            )
        missing = records_missing(found.of(self._log).positions, self._held)
        if missing:
            return Mismatch(
                "behind",
                f"the index was restored from an older copy while a worker was writing to it: it lacks {missing:,} "
                "record(s) that it held",
                missing,
            )
        return None

    def _confirm(self, mismatch: Mismatch, check: Callable[[Provenance], Mismatch | None]) -> None:
        """Raise if later checks find the mismatch too: a replica that has just returned is behind for a moment."""
        self._closed.wait(CONFIRM_S)
        found = self._load()
        if found is None or check(found) is not None:
            raise _FoundError(mismatch)

    def _stop(self, mismatch: Mismatch) -> None:
        """Report the mismatch, mark the index for other readers, and end the pipeline once it was probably seen."""
        error = MismatchError(f"{mismatch.reason}; {advice_on(mismatch, where=self._where, topic=self._log.topic)}")
        self._integrity.broke(mismatch)
        logger.error("%s; stopping in %.0f s", error, SHOWN_S)
        with suppress(TicketstreamError):
            found = self._store.read()
            if found is not None and not found.contradiction(self._log):
                before = found.of(self._log)
                if before not in found.logs:
                    self._store.note_log(self._log)
                until = {n: max(self._held.get(n, 0), before.until.get(n, 0)) for n in {*self._held, *before.until}}
                self._store.note_until(before.log, until)
        if not self._closed.wait(SHOWN_S):
            self._fail(error)
