"""Sending a stream of records in slices, at a given rate, up to the first error."""

from collections.abc import Iterator, Sequence

import pytest

from connectors.kafka.pacing import send_in_slices
from connectors.kafka.producer import Outgoing
from core.errors import ConfigError, FatalError, RefusedError, TransientError, UnavailableError


def _records(count: int) -> Iterator[Outgoing]:
    return (Outgoing("t", str(number).encode(), b"{}") for number in range(count))


class _Topic:
    """Keeps what is sent; `error` is raised once it holds `until` records."""

    def __init__(self, error: Exception | None = None, *, until: int = 0) -> None:
        self.records: list[Outgoing] = []
        self._error = error
        self._until = until

    def send(self, records: Sequence[Outgoing]) -> None:
        if self._error is not None and len(self.records) >= self._until:
            raise self._error
        self.records += records


def test_records_are_sent_in_order_and_counted_after_each_slice() -> None:
    """Records are sent in slices of 500, and the total is yielded after each slice."""
    topic = _Topic()
    assert list(send_in_slices(topic.send, _records(1_200))) == [500, 1_000, 1_200]
    assert topic.records == list(_records(1_200))


def test_a_slice_of_large_records_is_small() -> None:
    """A slice ends at 8 MiB, so that memory doesn't grow with the records."""
    large = [Outgoing("t", b"k", b"v" * 2**22)] * 5
    assert list(send_in_slices(_Topic().send, large)) == [2, 4, 5]


def test_no_records_make_no_slice() -> None:
    """An empty stream yields nothing."""
    assert list(send_in_slices(_Topic().send, [])) == []


@pytest.mark.parametrize("rate", [0.5, 30.0, 20_000.0])
def test_a_rate_is_kept(rate: float) -> None:
    """Sending takes the time that the rate implies."""
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    sent = list(send_in_slices(_Topic().send, _records(100), rate=rate, clock=lambda: now, sleep=sleep))
    assert sent[-1] == 100
    assert now == pytest.approx(100 / rate)


def test_records_before_a_malformed_one_are_sent() -> None:
    """Records before a malformed one are sent, and the error says how many."""

    def torn() -> Iterator[Outgoing]:
        yield from _records(501)
        raise ConfigError("line 502 is malformed")

    topic = _Topic()
    with pytest.raises(ConfigError, match="line 502 is malformed; 501 records were written before"):
        list(send_in_slices(topic.send, torn()))
    assert len(topic.records) == 501


@pytest.mark.parametrize(
    ("error", "raised"),
    [(TransientError("out"), UnavailableError), (RefusedError("too large"), FatalError)],
)
def test_an_error_of_the_broker_says_how_many_records_were_written(error: Exception, raised: type[Exception]) -> None:
    """A broker's outage becomes an `UnavailableError` with the number of records written."""
    with pytest.raises(raised, match=f"{error}; 500 records were written before"):
        list(send_in_slices(_Topic(error, until=500).send, _records(1_000)))
