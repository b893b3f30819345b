"""The size of the index as the metrics show it."""

import pytest

from core.errors import TransientError
from core.index import IndexSize
from stream import index_size
from stream.index_size import SizeWatch
from stream.telemetry import StreamTelemetry
from tests.rigs.waiting import wait_until


def test_points_and_tickets_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage of the index leaves the last count."""
    monkeypatch.setattr(index_size, "_COUNT_S", 0.01)
    counted: list[IndexSize] = [IndexSize(7, 2, 3), IndexSize(9, 2, 4)]

    def size() -> IndexSize:
        if len(counted) == 1:
            raise TransientError("out")
        return counted.pop(0)

    telemetry = StreamTelemetry()
    watch = SizeWatch(size, telemetry)
    watch.start()
    sample = telemetry.registry.get_sample_value
    wait_until(lambda: sample("tickets_index_tickets") == 3, every_s=0.005)
    assert (sample("tickets_index_points"), sample("tickets_index_tombstones")) == (7, 2)
    counted.append(IndexSize(1, 1, 0))
    wait_until(lambda: sample("tickets_index_tickets") == 4, every_s=0.005)
    watch.close()
