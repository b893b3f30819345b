"""The producer: finds files, takes their leases, and sends their lines, each batch before its checkpoint.

A line is always sent at least once, because a checkpoint is written after the broker has acknowledged every line
before it. A line is sent again only after a fault between the two. The record is then the same, byte for byte, so
the index has its version already.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from core.errors import FatalError, TicketstreamError, TransientError
from core.failpoints import failpoint
from core.producing import Checkpoint, Checkpoints, FoundFile, Source
from core.service_settings import ProducerSettings
from services.producer.leases import Leases
from services.producer.monitor import Monitor, is_done
from services.producer.opening import FileReader, OpenFile, new_checkpoint
from services.producer.retry import Retry, StoppedError
from services.producer.sending import LostError, Sending

logger: Final = logging.getLogger("ticketstream.producer")

#: The maximum number of open files of a task.
MAX_OPEN: Final = 16
_IDLE_S: Final = 0.25
#: A file that has not grown for this long is closed.
_KEEP_OPEN_S: Final = 60.0
#: The time until a file that can't be read is tried again.
_ASIDE_S: Final = 60.0
#: How long the checkpoint of a deleted file is kept.
_FORGET_MS: Final = 7 * 86_400_000
_MS: Final = 1_000


class Producer:
    """One task. One thread runs it."""

    def __init__(
        self,
        sources: Sequence[Source],
        store: Checkpoints,
        sending: Sending,
        *,
        leases: Leases,
        retry: Retry,
        monitor: Monitor,
        files: FileReader,
        settings: ProducerSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A producer that has not listed its sources yet.

        Args:
            sources: where files are found; the same for all tasks.
            store: checkpoints.
            sending: sends batches.
            leases: of this task.
            retry: repeats calls; its event ends the producer.
            monitor: gets the state for probes and metrics.
            files: opens files.
            settings: the times and the rate are used.
            clock: time in seconds.
        """
        self._sources = sources
        self._store = store
        self._sending = sending
        self._leases = leases
        self._retry = retry
        self._monitor = monitor
        self._files = files
        self._settings = settings
        self._clock = clock
        self._scan_at = clock()
        self._open: dict[str, OpenFile] = {}
        self._waiting: deque[tuple[FoundFile, Source]] = deque()
        self._known: list[Checkpoint] = []
        self._opening: Checkpoint | None = None
        self._aside: dict[str, float] = {}
        retry.between = self._tend

    def run(self) -> None:
        """Send until the event of `retry` is set; then finish the batch in flight, and give the leases back."""
        stop = self._retry.stop
        with suppress(StoppedError):
            while not stop.is_set():
                if not self.turn():
                    stop.wait(_IDLE_S)
        for file in list(self._open.values()):
            self._close(file)
        self._leases.leave()

    def turn(self) -> bool:
        """Look for files if it is time, and send a batch of each. False if there is nothing more for now.

        Raises:
            StoppedError: the event of `retry` was set in an outage.
        """
        self._tend()
        if self._clock() >= self._scan_at:
            self._scan_at = self._clock() + self._settings.scan_s
            self._scan()
        while self._waiting and (len(self._open) < MAX_OPEN or self._close_idle()):
            self._begin(*self._waiting.popleft())
        busy = [self._pump(file) for file in list(self._open.values())]
        self._monitor.open_files(len(self._open))
        return any(busy) or bool(self._waiting and self._idle())

    def _tend(self) -> None:
        """Extend the leases, register this task as alive, and adjust its share of the rate."""
        self._monitor.turned()
        if not self._leases.due():
            return
        for file in list(self._open.values()):
            if not self._leases.extend(file.checkpoint):
                self._lose(file)
        if self._opening is not None:
            self._leases.extend(self._opening)
        tasks = self._leases.join()
        if tasks is not None:
            self._monitor.tasks(tasks)
            self._sending.share(tasks)

    # --- finding files

    def _scan(self) -> None:
        """List the sources, and note the files with unsent lines."""
        known = dict(self._retry("store", self._store.load))
        found: dict[str, tuple[FoundFile, Source]] = {}
        fault: TicketstreamError | None = None
        for source in self._sources:
            try:
                for file in source.files():
                    found[file.file_id] = (file, source)
                    self._tend()
            except (TransientError, FatalError) as error:
                fault = error
        self._monitor.note("sources", fault)
        files = {file_id: file for file_id, (file, _) in found.items()}
        self._monitor.listed(files, known, now_ms=self._leases.now_ms())
        self._known = [lease.checkpoint for lease in known.values()]
        waiting = [
            file
            for file in sorted(files.values(), key=lambda one: one.modified_ms)
            if not is_done(file, known.get(file.file_id))
            and self._leases.free(known.get(file.file_id))
            and self._clock() >= self._aside.get(file.file_id, 0.0)
        ]
        self._waiting = deque((file, found[file.file_id][1]) for file in waiting)
        self._aside = {file_id: until for file_id, until in self._aside.items() if file_id in found}
        if fault is None:
            self._forget([one for one in self._known if one.file_id not in found and one.file_id not in self._open])

    def _begin(self, file: FoundFile, source: Source) -> None:
        """Take the lease of a file and open it, unless this or another task was faster."""
        if file.file_id in self._open:
            return
        checkpoint = self._retry("store", lambda: self._leases.claim(new_checkpoint(file)))
        if checkpoint is None:
            return
        failpoint("file_claimed")
        if checkpoint.stamp == file.stamp:
            self._leases.release(file.file_id)
            return
        self._opening = checkpoint
        try:
            opened = self._files.open(source, file, checkpoint, self._known, tick=self._tend)
        except TicketstreamError as error:
            self._set_aside(file, error)
            return
        except Exception as error:  # noqa: BLE001 - any error is attributed to the file
            self._set_aside(file, _unexpected(file, error))
            return
        finally:
            self._opening = None
        self._open[file.file_id] = opened
        self._monitor.set_aside(file.name, None)
        if opened.checkpoint != checkpoint and not self._retry("store", lambda: self._leases.save(opened.checkpoint)):
            self._lose(opened)

    def _set_aside(self, file: FoundFile, error: TicketstreamError) -> None:
        """Skip a file: until the next scan if it was replaced, longer if a person has to act."""
        if isinstance(error, TransientError):
            logger.info("a file is tried again later: %s", error)
        else:
            self._aside[file.file_id] = self._clock() + _ASIDE_S
            self._monitor.set_aside(file.name, error)
        self._leases.release(file.file_id)

    def _forget(self, gone: Sequence[Checkpoint]) -> None:
        now_ms = self._leases.now_ms()
        old = [one.file_id for one in gone if (one.saved_ms or one.first_ms) < now_ms - _FORGET_MS]
        if old:
            self._retry("store", lambda: self._store.forget(old, now_ms=now_ms))

    def _pump(self, file: OpenFile) -> bool:
        """Send the next batch of a file. False if it has nothing more for now."""
        try:
            if file.at_end and file.tail.raw.changed():
                self._close(file)
                self._scan_at = self._clock()
                return True
            batch = file.tail.batch(self._sending.batch_size, now_ms=self._leases.now_ms(), settled=self._settled(file))
        except TicketstreamError as error:
            self._close(file)
            self._set_aside(file.found, error)
            return True
        except Exception as error:  # noqa: BLE001 - any error is attributed to the file
            self._close(file)
            self._set_aside(file.found, _unexpected(file.found, error))
            return True
        failpoint("lines_read")
        file.at_end = batch.at_end
        if batch.content_bytes:
            file.grown_at = self._clock()
        try:
            self._sending.send(file, batch)
        except LostError:
            self._lose(file)
            return True
        idle = self._clock() - file.grown_at > _KEEP_OPEN_S
        if batch.at_end and batch.checkpoint.stamp and (file.tail.raw.finished or idle):
            self._close(file)
        return not batch.at_end

    def _settled(self, file: OpenFile) -> bool:
        """Whether the file has not grown for so long that its last line may be whole without a line break."""
        if self._clock() - file.grown_at > self._settings.settle_s:
            return True
        age_s = (self._leases.now_ms() - file.found.modified_ms) / _MS
        return age_s > self._settings.settle_s and file.tail.raw.state()[0] == file.found.stamp

    # --- letting files go

    def _idle(self) -> list[OpenFile]:
        """Open files of which everything is sent."""
        return [file for file in self._open.values() if file.at_end and file.checkpoint.stamp]

    def _close_idle(self) -> bool:
        """Close the file that has been idle for longest, if any file is idle."""
        idle = self._idle()
        if idle:
            self._close(min(idle, key=lambda one: one.grown_at))
        return bool(idle)

    def _lose(self, file: OpenFile) -> None:
        """Close a file, because another task has it."""
        if self._open.pop(file.found.file_id, None) is not None:
            logger.warning("another task reads %s now", file.found.name)
            file.tail.close()

    def _close(self, file: OpenFile) -> None:
        if self._open.pop(file.found.file_id, None) is not None:
            file.tail.close()
            self._leases.release(file.found.file_id)


def _unexpected(file: FoundFile, error: Exception) -> FatalError:
    """The error of a file that can't be read for a reason that nobody expected; its message may quote a line."""
    return FatalError(f"{file.name}: reading it failed ({type(error).__name__}); please report this")
