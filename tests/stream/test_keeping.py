"""What a start finds in the positions of an index beside its log and group."""

from connectors.kafka.lag import PartitionLag
from core.provenance import Offsets
from core.settings import IndexSettings
from stream.index_check import IndexCheck
from stream.integrity import Integrity
from stream.keeping import beyond_end, overtaken
from stream.telemetry import StreamTelemetry
from tests.stream.provenances import GROUP, LOG, FakeOffsets, MemoryEngine, origin, positions, written

_POSITIONS: Offsets = {0: 300, 1: 300, 2: 300}


def _lag(partition: int, *, committed: int | None, start: int, end: int = 900) -> PartitionLag:
    return PartitionLag(LOG.topic, partition, committed, start, end)


def test_records_that_expired_with_the_groups_offsets_are_found() -> None:
    """A group without an offset begins at the log's first record, and misses those since the index's position."""
    lags = [_lag(0, committed=None, start=500), _lag(1, committed=None, start=300), _lag(2, committed=300, start=500)]
    assert overtaken(_POSITIONS, lags) == {0: 300}
    assert overtaken({}, lags) == {}, "a new index has missed nothing"


def test_they_are_counted_once_the_group_has_that_offset() -> None:
    """From the index's position on, the group knows what has expired, and the index notes it."""
    store, offsets = written(MemoryEngine(), {0: 300}), FakeOffsets({0: None}, starts={0: 500})
    integrity = Integrity(StreamTelemetry())
    check = IndexCheck(store, offsets, topic=LOG.topic, group=GROUP, where="collection tickets")
    check.start(IndexSettings(), {}, integrity)
    assert integrity.warning is None
    offsets.rewind(LOG.topic, GROUP, overtaken(positions(store), check.lags), patience_s=1)
    check.start(IndexSettings(), {}, integrity)
    assert origin(store).expired == 200
    assert "200 record(s) were deleted" in (integrity.warning or "")


def test_a_log_that_ends_before_the_index_s_position_is_found() -> None:
    """A log that was restored from an older copy lacks records that the index has, and readers are told."""
    lags = [_lag(0, committed=200, start=0, end=200), _lag(1, committed=300, start=0, end=300)]
    assert beyond_end(_POSITIONS, lags) == {0: 300}
    integrity = Integrity(StreamTelemetry())
    integrity.cut = "raw[0] ends at offset 200"
    assert integrity.warning == "raw[0] ends at offset 200"
