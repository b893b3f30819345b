"""The clearing of stale chunks: what it reads, and its result after interleaved and interrupted writes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connectors.qdrant import policy
from connectors.qdrant.engine import Condition, Engine, Found, FoundPassage, PointKey, Retrieval, Stored, Upsert
from connectors.qdrant.open import open_index_for_writing
from connectors.qdrant.policy import VersionedIndex
from core.errors import TransientError
from core.settings import IndexSettings
from tests.contracts.digest import contents, digest
from tests.contracts.index_laws import DIMENSION, MODEL, held, ticket


class _Engine:
    """An engine that counts the rows of its scans, and fails in a write once `fail_at` points are written."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner
        self.scanned = 0
        self.fail_at: int | None = None

    @property
    def dimension(self) -> int:
        return DIMENSION

    def write(self, upserts: Sequence[Upsert], *, ordered: bool = False) -> None:
        singles = [Upsert([point], upsert.below) for upsert in upserts for point in upsert.points]
        for single in singles:
            if self.fail_at == 0:
                raise TransientError("cut off")
            self.fail_at = None if self.fail_at is None else self.fail_at - 1
            self._inner.write([single], ordered=ordered)

    def scan(
        self,
        conditions: Sequence[Condition],
        unless: Sequence[Condition] = (),
        *,
        fields: Sequence[str] | None = None,
        vectors: bool = False,
        majority: bool = False,
    ) -> Iterator[Found]:
        for found in self._inner.scan(conditions, unless, fields=fields, vectors=vectors, majority=majority):
            self.scanned += 1
            yield found

    def lookup(self, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Stored]:
        return self._inner.lookup(ids, fields)

    def search(self, retrievals: Sequence[Retrieval]) -> Sequence[Sequence[FoundPassage]]:
        return self._inner.search(retrievals)

    def scores(self, retrievals: Sequence[Retrieval]) -> Sequence[Mapping[PointKey, float]]:
        return self._inner.scores(retrievals)

    def count(self, conditions: Sequence[Condition]) -> int:
        return self._inner.count(conditions)

    def delete(self, ids: Sequence[str], *, below: int) -> None:
        self._inner.delete(ids, below=below)

    def require_in_place(self) -> None:
        self._inner.require_in_place()

    def close(self) -> None:
        self._inner.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Engine]:
    """One engine for all examples, each of which has its own tenant."""
    path = tmp_path_factory.mktemp("policy") / "index"
    opened = open_index_for_writing(IndexSettings(path=path), dimension=DIMENSION, model=MODEL)
    yield _Engine(opened.engine)
    opened.close()


def _index(path: Path) -> VersionedIndex:
    return open_index_for_writing(IndexSettings(path=path), dimension=DIMENSION, model=MODEL)


def test_a_write_reads_no_chunks_of_other_tenants(engine: _Engine) -> None:
    """A write reads only its own tickets' chunks, although other tenants use the same ticket ids."""
    index = VersionedIndex(engine)
    for tenant in ("t1", "t2", "t3", "t4"):
        index.write([ticket("1", 1, 3, tenant=tenant), ticket("2", 1, 3, tenant=tenant)])
    engine.scanned = 0
    index.write([ticket("1", 2, 1, tenant="t1"), ticket("2", 2, 1, tenant="t2")])
    assert engine.scanned == 4


def test_a_write_reads_no_chunks_that_it_has_just_written(engine: _Engine) -> None:
    """Only chunks of versions below the tickets' newest are read, to be cleared."""
    index = VersionedIndex(engine)
    engine.scanned = 0
    index.write([ticket(str(number), 1, 3, tenant="fresh") for number in range(9)])
    assert engine.scanned == 0


def test_a_write_is_bounded_in_points(engine: _Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tickets of many passages are written in several calls of the engine, each of a bounded number of points."""
    monkeypatch.setattr(policy, "_SLICE_POINTS", 10)
    calls: list[int] = []
    write = engine._inner.write

    def counting(upserts: Sequence[Upsert]) -> None:
        calls.append(sum(len(upsert.points) for upsert in upserts))
        write(upserts)

    monkeypatch.setattr(engine, "write", counting)
    index = VersionedIndex(engine)
    index.write([ticket(str(n), 1, chunks, tenant="slices") for n, chunks in enumerate([4, 4, 4, 15, 2])])
    assert [count for count in calls if count] == [8, 4, 15, 2]
    index.write([])


_EXAMPLE = iter(range(1_000_000))
_VERSIONS = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=8
)  # version, chunks, and the number of points after which the write fails


def test_superseded_events_are_counted(tmp_path: Path) -> None:
    """Versions below the newest of their batch or of the index count; replays of the newest one don't."""
    index = _index(tmp_path)
    counts: list[int] = []
    index.on_superseded = counts.append
    index.write([ticket("1", 2, 1), ticket("1", 5, 1)])
    index.write([ticket("1", 5, 1)])
    index.write([ticket("1", 4, 1), ticket("1", 3, 1)])
    assert counts == [1, 2]
    index.close()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=_VERSIONS)
@example(steps=[(1, 3, 1)])
@example(steps=[(1, 4, 9), (2, 2, 2)])
def test_interrupted_and_repeated_writes_leave_only_the_newest_version(
    engine: _Engine, steps: list[tuple[int, int, int]]
) -> None:
    """After each step was interrupted once and all were repeated, only the newest version's chunks are live."""
    index, tenant = VersionedIndex(engine), f"cut{next(_EXAMPLE)}"
    chunks = {version: count for version, count, _cut in reversed(steps)}  # one content per version
    for version, _count, cut in steps:
        engine.fail_at = cut
        with suppress(TransientError):
            index.write([ticket("1", version, chunks[version], tenant=tenant)])
        engine.fail_at = None
    for version, _count, _cut in steps:
        index.write([ticket("1", version, chunks[version], tenant=tenant)])
    newest = max(chunks)
    assert held(index)[tenant, "1"] == (newest, chunks[newest] == 0)
    live = [payload for payload, _v, _t in contents(index).values() if payload["tenant_id"] == tenant]
    assert [payload["version"] for payload in live] == [newest] * max(1, chunks[newest])


def test_a_digest_ignores_the_origin_and_deleted_chunks_only(tmp_path: Path) -> None:
    """The digest is the same after another history of the same tickets, and differs with a text or a version."""
    found = []
    for name, history in {
        "straight": [ticket("1", 2, 2, origin="t/0/9")],
        "detour": [ticket("1", 1, 5, origin="t/0/1"), ticket("1", 2, 2, origin="t/0/7")],
        "other text": [ticket("1", 2, 2, text="other")],
        "deleted": [ticket("1", 2, 0)],
        "deleted later": [ticket("1", 3, 0)],
    }.items():
        index = _index(tmp_path / name)
        for version in history:
            index.write([version])
        found.append(digest(index))
        index.close()
    assert found[0] == found[1]
    assert len(set(found)) == 4
