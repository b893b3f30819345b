"""Writes the records of tickets.raw to the archive, in one thread.

A partition's position is what the archive holds of it: its files decide where reading begins, whatever the group has
committed. An outage of the storage pauses reading; the consumer stays in its group meanwhile.
"""

import logging
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from archive.files import Draft, Entry, Sealed
from archive.partition import PartitionArchive
from connectors.kafka.assignment import ConsumerObserver
from connectors.kafka.messages import Reached, partition_of
from connectors.kafka.positioned import PositionedConsumer
from core.archive_settings import ArchiveSettings
from core.errors import FatalError, TransientError
from core.failpoints import failpoint
from core.records import Record
from delivery.backoff import Backoff

logger: Final = logging.getLogger("ticketstream.archive")

_POLL_S: Final = 0.2
_BACKOFF_MAX_S: Final = 15.0
_MIB: Final = 1024 * 1024


class ArchiverObserver(ConsumerObserver):
    """Callbacks of the archiver; override the ones you need."""

    def read(self, records: int) -> None:
        """Records were read."""

    def stored(self, entry: Entry) -> None:
        """A file is durable and listed."""

    def retried(self) -> None:
        """A call of the storage failed and will be repeated."""


class _Open:
    """A partition that is being archived."""

    def __init__(self, archive: PartitionArchive, position: int) -> None:
        self.archive = archive
        self.next = position  # the offset to be read next
        self.position = position  # the archive holds every offset before it
        self.log_start = 0  # records of the log before it have expired
        self.draft: Draft | None = None
        self.sealed: Sealed | None = None
        self.since = 0.0  # when the draft's first record was read
        self.sealed_since = 0.0  # likewise

    @property
    def waiting_since(self) -> float | None:
        """When the first record was read that isn't durable; None if there is none."""
        if self.sealed is not None:
            return self.sealed_since
        return None if self.draft is None else self.since

    def drop(self) -> None:
        """Delete the temporary files."""
        if self.draft is not None:
            self.draft.close()
        if self.sealed is not None:
            self.sealed.file.close()


class Archiver:
    """A member of the archive's consumer group. Everything but `stop` and the properties runs on one thread."""

    def __init__(
        self,
        consumer: PositionedConsumer,
        *,
        open_partition: Callable[[int], PartitionArchive],
        confirm: Callable[[], None],
        settings: ArchiveSettings,
        observer: ArchiverObserver,
        rng: Random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Archive what `consumer` reads.

        Args:
            consumer: has not joined its group yet.
            open_partition: a partition of the archive.
            confirm: raises unless the topic is still the one of the archive's generation.
            settings: size and age of a file.
            observer: is told what happens.
            rng: spreads retries.
            clock: seconds, monotonic.
        """
        self._consumer = consumer
        self._open_partition = open_partition
        self._confirm = confirm
        self._settings = settings
        self._observer = observer
        self._clock = clock
        self._backoff = Backoff(cap_s=_BACKOFF_MAX_S, rng=rng)
        self._pending: Sequence[int] | None = None
        self._open: dict[int, _Open] = {}
        self._failures = 0
        self._retry_at = 0.0
        self._stopping = False
        #: Why nothing is stored at present, or None.
        self.outage: str | None = None

    @property
    def age_s(self) -> float:
        """Age of the oldest record that was read and isn't durable; 0 if there is none."""
        waiting = [one.waiting_since for one in list(self._open.values())]
        return self._clock() - min((since for since in waiting if since is not None), default=self._clock())

    @property
    def drained(self) -> bool:
        """Whether everything that was read is durable."""
        return all(one.waiting_since is None for one in self._open.values())

    def stop(self) -> None:
        """Read no more, and store what was read."""
        self._stopping = True

    def join(self) -> None:
        """Join the group."""
        self._consumer.join(self)

    def assigned(self, partitions: Sequence[int]) -> None:
        """See `connectors.kafka.positioned.Member`."""
        self._pending = partitions
        self._observer.rebalanced("assign", len(partitions))

    def revoked(self) -> None:
        """See `connectors.kafka.positioned.Member`. What isn't stored is read again by the next owner."""
        self._drop()
        self._pending = None
        self._observer.rebalanced("revoke", 0)

    def step(self) -> None:
        """Read what there is, and store at most one file.

        Raises:
            FatalError: the log or the archive isn't what it was; the message says what to do.
            UnavailableError: the storage refuses, or a disk is full.
        """
        self._observer.polled()
        items = self._consumer.poll(0.0 if self._next_due() is not None and not self.outage else _POLL_S)
        if not self._stopping:
            for item in items:
                self._take(item)
            self._report(items)
        if self._clock() < self._retry_at:
            return
        try:
            self._begin()
            if (partition := self._next_due()) is not None:
                self._store(partition)
        except TransientError as error:
            self._fail(error)
        else:
            self._recovered()

    def close(self) -> None:
        """Commit what is stored, leave the group, and delete the temporary files."""
        self._consumer.commit({number: one.position for number, one in self._open.items()}, wait=True)
        self._consumer.close()
        self._drop()

    def _begin(self) -> None:
        if self._pending is None:
            return
        opened = {}
        for number in self._pending:
            archive = self._open_partition(number)
            opened[number] = _Open(archive, archive.recover())
            opened[number].log_start = self._consumer.log_start(number)
        self._open, self._pending = opened, None
        positions = {number: one.position for number, one in opened.items()}
        logger.info("archiving from offsets %s", positions)
        self._consumer.begin(positions)

    def _take(self, item: Record | Reached) -> None:
        topic, number = partition_of(item)
        one = self._open.get(number)
        if one is None:
            return
        offset = item.origin.offset if isinstance(item, Record) else item.offset
        if offset < one.next:
            raise FatalError(
                f"{topic}[{number}] has offset {offset} after offset {one.next - 1}: its log was cut or restored, and "
                "the archive holds what was there before; create the topic again, and archive that one"
            )
        if isinstance(item, Reached):
            return
        if offset > one.next:
            one.log_start = max(one.log_start, self._consumer.bounds(number)[0])
            expired = min(one.log_start, offset) - one.next
            if expired > 0:
                last = one.next + expired - 1
                logger.error(
                    "%s[%d]: records %d to %d expired before they were archived", topic, number, one.next, last
                )
                self._observer.expired(topic, number, expired)
        if one.draft is None:
            one.draft, one.since = one.archive.draft(one.next), self._clock()
        one.draft.add(item, log_start=one.log_start)
        one.next = one.draft.next

    def _report(self, items: Sequence[Record | Reached]) -> None:
        for topic, number in {partition_of(item) for item in items}:
            if number in self._open:
                end = self._consumer.bounds(number)[1]
                self._observer.lag(topic, number, max(0, end - self._open[number].position))
        self._observer.read(sum(isinstance(item, Record) for item in items))

    def _next_due(self) -> int | None:
        """The partition with the oldest file that is to be stored now."""
        due = [(one.waiting_since or 0.0, number) for number, one in self._open.items() if self._is_due(one)]
        return min(due)[1] if due else None

    def _is_due(self, one: _Open) -> bool:
        if one.sealed is not None or one.draft is None:
            return one.sealed is not None
        full = one.draft.size >= self._settings.file_mib * _MIB or one.draft.full_of_gaps
        return full or self._stopping or self._clock() - one.since >= self._settings.file_age_s

    def _store(self, number: int) -> None:
        one = self._open[number]
        if one.sealed is None:
            assert one.draft is not None  # noqa: S101 - for mypy: it is due
            one.sealed, one.sealed_since, one.draft = one.draft.seal(), one.since, None
            failpoint("archive_sealed")
        self._confirm()
        entry = one.archive.write(one.sealed)
        ours = entry == one.sealed.entry
        one.position = entry.next
        self._consumer.commit({number: one.position})
        failpoint("archive_committed")
        one.sealed.file.close()
        one.sealed = None
        self._observer.stored(entry)
        if not ours:  # another archiver's file: go on where it ends
            logger.info("offset %d was archived by another process; beginning again", entry.first)
            self._pending = list(self._open)
            self._drop()

    def _fail(self, error: TransientError) -> None:
        self._retry_at = self._clock() + self._backoff.delay_s(self._failures, error)
        self._failures += 1
        self._observer.retried()
        if self.outage is None:
            logger.warning("nothing is archived until this ends: %s", error)
            self._consumer.pause(paused=True)
        self.outage = str(error)

    def _recovered(self) -> None:
        self._failures = 0
        if self.outage is not None:
            self.outage = None
            logger.info("archiving again")
            self._consumer.pause(paused=False)

    def _drop(self) -> None:
        for one in self._open.values():
            one.drop()
        self._open = {}
