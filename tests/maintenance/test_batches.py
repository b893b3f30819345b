"""Batches of large records are small."""

from collections.abc import Sequence

from core.records import Origin, Record, Rejected
from core.settings import WriterSettings
from maintenance.batches import next_batch
from maintenance.fold import Fold
from maintenance.reindexer import Reindexer
from stream.steps import Step
from tests.fakes import FakeIndex

_LARGE = [Record(Origin("raw", 0, offset), b"", b"x" * 2**20, 0) for offset in range(10)]


def test_a_batch_ends_at_its_number_or_its_bytes() -> None:
    """Small records are bounded in number, and large ones at four megabytes."""
    small = iter([Record(Origin("raw", 0, offset), b"k", b"v", 0) for offset in range(10)])
    assert [len(next_batch(small, 4)) for _ in range(4)] == [4, 4, 2, 0]
    large = iter(_LARGE)
    assert [len(next_batch(large, 512)) for _ in range(4)] == [4, 4, 2, 0]


def test_a_repair_holds_few_large_records_at_once() -> None:
    """A topic of large records takes no more memory to compare or rebuild than to stream."""
    sizes: list[int] = []

    def reject(batch: Sequence[Record]) -> list[Rejected]:
        sizes.append(len(batch))
        return [Rejected(record, "decode", "too_large", "why") for record in batch]

    assert Fold(decode=reject).read(_LARGE) == 10
    reindexer = Reindexer(steps=[Step("decode", "decode", reject)], index=FakeIndex(), settings=WriterSettings())
    assert reindexer.index_records(_LARGE) == 10
    assert sizes == [4, 4, 2] * 2
