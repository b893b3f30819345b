"""What clearing reads, and that interleaved and interrupted writers leave nothing behind."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connectors.qdrant.digest import contents, digest
from connectors.qdrant.engine import Condition, Found, Upsert
from connectors.qdrant.open import open_index
from connectors.qdrant.policy import VersionedIndex
from core.errors import TransientError
from core.records import Vector
from core.settings import IndexSettings
from tests.contracts.index_laws import DIMENSION, MODEL, held, ticket


class _Engine:
    """An engine that counts the rows scans return, and fails at call `fail_at` of its writes, half of it applied."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.scanned = 0
        self.fail_at: int | None = None

    @property
    def dimension(self) -> int:
        return DIMENSION

    def write(self, upserts: Sequence[Upsert]) -> None:
        singles = [Upsert([point], upsert.below) for upsert in upserts for point in upsert.points]
        for single in singles:
            if self.fail_at == 0:
                raise TransientError("cut off")
            self.fail_at = None if self.fail_at is None else self.fail_at - 1
            self._inner.write([single])

    def scan(self, *args: Any, **more: Any) -> Iterator[Found]:
        for found in self._inner.scan(*args, **more):
            self.scanned += 1
            yield found

    def lookup(self, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self._inner.lookup(ids, fields)
        return found

    def nearest(self, vector: Vector, conditions: Sequence[Condition], limit: int) -> list[Found]:
        found: list[Found] = self._inner.nearest(vector, conditions, limit)
        return found

    def count(self, conditions: Sequence[Condition]) -> int:
        return int(self._inner.count(conditions))

    def close(self) -> None:
        self._inner.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Engine]:
    """One engine for many examples: each example has a tenant of its own."""
    path = tmp_path_factory.mktemp("policy") / "index"
    opened = open_index(IndexSettings(path=path), dimension=DIMENSION, model=MODEL)
    yield _Engine(opened.engine)
    opened.close()


def _index(path: Path) -> VersionedIndex:
    return open_index(IndexSettings(path=path), dimension=DIMENSION, model=MODEL)


def test_a_write_reads_no_chunks_of_other_tenants(engine: _Engine) -> None:
    """Tenants number their tickets alike; a write's cost must not grow with how many tenants there are."""
    index = VersionedIndex(engine)
    for tenant in ("t1", "t2", "t3", "t4"):
        index.write([ticket("1", 1, 3, tenant=tenant), ticket("2", 1, 3, tenant=tenant)])
    engine.scanned = 0
    index.write([ticket("1", 2, 3, tenant="t1"), ticket("2", 2, 3, tenant="t2")])
    assert engine.scanned == 4


_EXAMPLE = iter(range(1_000_000))
_VERSIONS = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=8
)  # version, chunks, and the point at which the write is cut off


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=_VERSIONS)
@example(steps=[(1, 3, 1)])
@example(steps=[(1, 4, 9), (2, 2, 2)])
def test_writes_cut_off_anywhere_and_read_again_leave_the_newest_alone(
    engine: _Engine, steps: list[tuple[int, int, int]]
) -> None:
    """After every step was cut off once and all were repeated in order, only the newest version's chunks live."""
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
    live = [payload for payload, _v in contents(index).values() if payload["tenant_id"] == tenant]
    assert [payload["version"] for payload in live] == [newest] * max(1, chunks[newest])


def test_a_digest_sees_each_field_but_not_the_origin_or_spent_chunks(tmp_path: Path) -> None:
    """Equal for the same tickets by another way and another offset; unequal when a text or a version differs."""
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
