"""A log, its consumer group, and archivers that are killed at any call, in memory and without waiting.

Every partition belongs to all archivers at once: the worst that a rebalance can do.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from random import Random

from archive.generation import Generation, begin_generation
from archive.layout import generation_of
from archive.manifest import Manifest
from archive.partition import PartitionArchive
from archive.verification import verify
from connectors.kafka.messages import Reached
from connectors.kafka.positioned import Member
from core.archive_settings import ArchiveSettings
from core.errors import TicketstreamError, TransientError
from core.provenance import LogIdentity
from core.records import Origin, Record
from stream.archiver import Archiver, ArchiverObserver
from tests.archive.fakes import MemoryArchive

TOPIC = "raw"
LOG = LogIdentity(TOPIC, "cluster", "topic-id")
_PARTITIONS = 2


class Killed(BaseException):
    """The process is gone."""


class BrokenError(AssertionError):
    """A promise of the archive is broken."""


class FakeConsumer:
    """Stands for `PositionedConsumer`, over the world's log."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.member: Member | None = None
        self.positions: dict[int, int] = {}
        self.assigned = False
        self.paused = False

    def join(self, member: Member) -> None:
        self.member = member

    def begin(self, positions: Mapping[int, int]) -> None:
        self.positions = dict(positions)

    def pause(self, *, paused: bool) -> None:
        self.paused = paused

    def rebalance(self) -> None:
        """Everything is taken away and given again."""
        assert self.member is not None
        self.positions, self.assigned = {}, False
        self.member.revoked()

    def poll(self, _timeout_s: float) -> Sequence[Record | Reached]:
        assert self.member is not None
        if not self.assigned:
            self.assigned = True
            self.member.assigned(range(_PARTITIONS))
            return []
        found: list[Record | Reached] = []
        for number, position in [] if self.paused else self.positions.items():
            log = [record for record in self.world.log[number] if record.origin.offset >= position]
            taken = log[: self.world.rng.randint(0, 4)]
            found += taken
            if taken:
                self.positions[number] = taken[-1].next_offset
            elif not log:
                found.append(Reached((TOPIC, number), max(position, self.world.end(number))))
        return found

    def log_start(self, _partition: int) -> int:
        return 0

    def bounds(self, partition: int) -> tuple[int, int]:
        return 0, self.world.end(partition)

    def commit(self, positions: Mapping[int, int], *, wait: bool = False) -> None:
        del wait
        for number, offset in positions.items():
            self.world.commit(number, offset)

    def close(self) -> None:
        pass


class World:
    """A log that grows, and archivers."""

    def __init__(self, seed: int, *, archiver: type[Archiver] = Archiver, store: MemoryArchive | None = None) -> None:
        self.rng = Random(seed)
        self.log: defaultdict[int, list[Record]] = defaultdict(list)
        self.committed: dict[int, int] = {}
        self.store = store or MemoryArchive()
        self.now = 0.0
        self.faults = False
        self.done: defaultdict[str, int] = defaultdict(int)
        self._archiver = archiver
        self._saved: dict[str, bytes] = {}
        self.consumers: list[FakeConsumer] = []
        self.archivers: list[Archiver] = []
        begin_generation(self.store, LOG)
        self.store.fault = self._fault
        for _ in range(2):
            self._start()

    def end(self, number: int) -> int:
        """End offset of a partition."""
        return self.log[number][-1].next_offset if self.log[number] else 0

    def produce(self) -> None:
        """Some records, with gaps between them as markers leave."""
        for _ in range(self.rng.randint(1, 6)):
            number = self.rng.randrange(_PARTITIONS)
            offset = self.end(number) + self.rng.choice([0, 0, 0, 1])
            value = None if self.rng.random() < 0.1 else self.rng.randbytes(self.rng.randint(0, 30))
            self.log[number].append(Record(Origin(TOPIC, number, offset), b"k", value, offset))

    def commit(self, number: int, offset: int) -> None:
        """Commit, if the archive holds everything before the offset."""
        position = Manifest(self.store, Generation(self.store, generation_of(LOG)).folder(number)).position()
        if offset > position:
            raise BrokenError(f"offset {offset} is committed, and the archive ends at {position}")
        self.committed[number] = offset
        self._kill_maybe()

    def run(self, steps: int) -> None:
        """Random steps of the archivers, with outages, kills, rebalances and restored copies; then the verdict."""
        self.faults = True
        for _ in range(steps):
            self.now += self.rng.choice([0.1, 1.0, 400.0])
            what = self.rng.random()
            number = self.rng.randrange(len(self.archivers))
            if what < 0.3:
                self.produce()
            elif what < 0.33:
                self.consumers[number].rebalance()
                self.done["rebalances"] += 1
            elif what < 0.35:
                self._saved = dict(self.store.objects)
            elif what < 0.36 and self._saved:
                self._restore()
            else:
                self._step(number)
        self.faults = False
        self._drain()
        self.judge()

    def turn(self, times: int, *, seconds: float = 400) -> None:
        """Steps of the first archiver."""
        for _ in range(times):
            self.now += seconds
            self.archivers[0].step()

    def judge(self) -> None:
        """Every record of the log is archived once, as it was."""
        generation = Generation(self.store, generation_of(LOG))
        for number in range(_PARTITIONS):
            if faults := list(verify(generation, number)):
                raise BrokenError(faults[0])
            found = list(generation.records(number, generation.held(number).entries))
            if found != self.log[number]:
                raise BrokenError(f"{len(found)} records are archived, and the log has {len(self.log[number])}")

    def _step(self, number: int) -> None:
        try:
            self.archivers[number].step()
        except Killed:
            self.done["kills"] += 1
            self._start(number)

    def _restore(self) -> None:
        """The archive is lost and restored from an older copy, while no archiver runs."""
        self.store.objects = dict(self._saved)
        self.done["restores"] += 1
        for number in range(len(self.archivers)):
            self._start(number)

    def _drain(self) -> None:
        for _ in range(400):
            self.now += 400
            for number in range(len(self.archivers)):
                self._step(number)
        for archiver in self.archivers:
            if archiver.outage is not None:
                raise BrokenError(archiver.outage)

    def _start(self, number: int | None = None) -> None:
        consumer = FakeConsumer(self)
        archiver = self._archiver(
            consumer,  # type: ignore[arg-type]  # a fake
            open_partition=lambda partition: PartitionArchive(self.store, LOG, partition),
            confirm=lambda: None,
            settings=ArchiveSettings(place="memory", file_age_s=300),
            observer=ArchiverObserver(),
            rng=self.rng,
            clock=lambda: self.now,
        )
        archiver.join()
        if number is None:
            self.consumers.append(consumer)
            self.archivers.append(archiver)
        else:
            self.consumers[number], self.archivers[number] = consumer, archiver

    def _fault(self) -> None:
        """Before and after each write: nothing, a kill, or an error whether the write took effect or not."""
        self._kill_maybe()
        if self.faults and self.rng.random() < 0.1:
            self.done["outages"] += 1
            raise TransientError("503")

    def _kill_maybe(self) -> None:
        if self.faults and self.rng.random() < 0.08:
            raise Killed


def broken_by(make: Callable[[int], World], *, seeds: range, steps: int) -> str | None:
    """The promise that the first of `seeds` finds broken, or None."""
    for seed in seeds:
        try:
            make(seed).run(steps)
        except (
            BrokenError,
            TicketstreamError,
        ) as error:  # others are mistakes of the mutant, which would prove nothing
            return f"{type(error).__name__}: {error}"
    return None
