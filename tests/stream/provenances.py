"""A fake index with provenance that can be restored and replaced, and a fake log with a group's offsets."""

from collections.abc import Iterator, Mapping, Sequence

from connectors.kafka.lag import PartitionLag
from connectors.qdrant.engine import Condition, Found, FoundPassage, PointKey, Retrieval, Stored, Upsert
from connectors.qdrant.provenance import ProvenanceStore
from core.errors import FatalError, TransientError
from core.provenance import LogIdentity, Offsets, Provenance
from core.records import Point

LOG = LogIdentity("tickets.raw", "cluster-1", "topic-1")
GROUP = "ticketstream"


class MemoryEngine:
    """An engine that holds only provenance, and fails while `out` is set."""

    def __init__(self) -> None:
        self.points: dict[str, Point] = {}
        self.out = False
        self.in_place = True
        self.writes = 0

    @property
    def dimension(self) -> int:
        return 8

    def write(self, upserts: Sequence[Upsert], *, ordered: bool = False) -> None:
        assert ordered, "two replicas could apply the notes in different orders"
        self._require_up()
        self.writes += 1
        for upsert in upserts:
            for point in upsert.points:
                stored = self.points.get(point.id)
                version = -1 if stored is None else stored.payload["version"]
                if stored is None or (upsert.least or 0) <= version < upsert.below:
                    self.points[point.id] = point

    def scan(
        self,
        conditions: Sequence[Condition],
        unless: Sequence[Condition] = (),
        *,
        fields: Sequence[str] | None = None,
        vectors: bool = False,
        majority: bool = False,
    ) -> Iterator[Found]:
        assert majority, "one replica may be behind"
        del conditions, unless, fields, vectors
        self._require_up()
        yield from (Found(point.id, dict(point.payload)) for point in list(self.points.values()))

    def lookup(self, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Stored]:
        del fields
        self._require_up()
        return {key: dict(self.points[key].payload) for key in ids if key in self.points}

    def search(self, retrievals: Sequence[Retrieval]) -> Sequence[Sequence[FoundPassage]]:
        raise NotImplementedError

    def scores(self, retrievals: Sequence[Retrieval]) -> Sequence[Mapping[PointKey, float]]:
        raise NotImplementedError

    def count(self, conditions: Sequence[Condition]) -> int:
        raise NotImplementedError

    def delete(self, ids: Sequence[str], *, below: int) -> None:
        raise NotImplementedError

    def require_in_place(self) -> None:
        if not self.in_place:
            raise FatalError("its folder was replaced")

    def close(self) -> None:
        pass

    def _require_up(self) -> None:
        if self.out:
            raise TransientError("out")


def created(engine: MemoryEngine, *, adopted: bool = False, replaces: str | None = None) -> ProvenanceStore:
    """The store of an index that was just created."""
    store = ProvenanceStore(engine)
    store.create(model="model/1", adopted=adopted, replaces=replaces, rebuilt=replaces is not None)
    return store


def written(engine: MemoryEngine, positions: Offsets, log: LogIdentity = LOG) -> ProvenanceStore:
    """The store of an index that holds `log` to `positions`."""
    store = created(engine)
    store.note_log(log)
    store.advance(log, {partition: (0, offset) for partition, offset in positions.items()})
    return store


def positions(store: ProvenanceStore) -> Offsets:
    """The positions in `LOG`."""
    return origin(store).of(LOG).positions


def until(store: ProvenanceStore) -> Offsets:
    """The offsets of `LOG` to which the index must be read again."""
    return origin(store).of(LOG).until


def origin(store: ProvenanceStore) -> Provenance:
    """The provenance, which must exist."""
    found = store.read()
    assert found is not None
    return found


class FakeOffsets:
    """A log of `log`, whose partitions begin at `starts`, and the offsets that a group has committed."""

    def __init__(self, committed: Mapping[int, int | None], starts: Offsets | None = None) -> None:
        self.log = LOG
        self.committed = dict(committed)
        self.starts = starts or {}
        self.rewound: list[Offsets] = []
        self.topic_id = LOG.topic_id

    def identify(self, topic: str) -> LogIdentity:
        assert topic == self.log.topic
        return self.log

    def lag(self, topic: str, group: str) -> Sequence[PartitionLag]:
        assert (topic, group) == (LOG.topic, GROUP)
        return [
            PartitionLag(
                topic,
                partition,
                committed,
                self.starts.get(partition, 0),
                (committed or 0) + 5,
                topic_id=self.topic_id,
            )
            for partition, committed in self.committed.items()
        ]

    def rewind(self, topic: str, group: str, offsets: Mapping[int, int], *, patience_s: float) -> None:
        assert (topic, group) == (LOG.topic, GROUP)
        assert patience_s > 0
        self.rewound.append(dict(offsets))
        self.committed |= offsets
