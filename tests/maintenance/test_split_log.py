"""What the commands make of a log that two stages read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from connectors.kafka.admin import PartitionLag
from core.errors import ConfigError, UnavailableError
from core.records import Origin, Point, Record, TicketPoints
from core.settings import Settings
from core.wire import embedded_message, enriched_message
from maintenance.split_log import EmbeddedLog, SplitLog
from tests.fakes import record
from tests.operators import samples


class _Cluster:
    """One partition a topic; the second stage commits two records at each look, up to `most`."""

    def __init__(self, _settings: object = None, *, most: int = 100, start: int = 0) -> None:
        self._most = most
        self._start = start
        self.committed = 0

    def require_topics(self, names: Sequence[str]) -> dict[str, int]:
        return dict.fromkeys(names, 1)

    def lag(self, topic: str, group: str) -> list[PartitionLag]:
        if group.endswith("-enrichment"):
            return [PartitionLag(topic, 0, 7, 0, 9)]
        found = PartitionLag(topic, 0, self.committed, self._start, 8)
        self.committed = min(self.committed + 2, self._most)
        return [found]


def _cluster(monkeypatch: pytest.MonkeyPatch, **how: int) -> _Cluster:
    made = _Cluster(**how)
    monkeypatch.setattr("maintenance.log.open_cluster", lambda _settings: made)
    monkeypatch.setattr("maintenance.split_log._POLL_S", 0.001)
    monkeypatch.setattr("maintenance.split_log._PATIENCE_S", 0.05)
    return made


def test_the_second_stage_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what it has caught up with can be missing: the first stage's commits count once the second has as much."""
    cluster = _cluster(monkeypatch)
    assert SplitLog(Settings()).committed() == {0: 7}
    assert cluster.committed >= 8


def test_a_second_stage_that_stands_still_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it hasn't indexed yet would look lost."""
    _cluster(monkeypatch, most=4)
    with pytest.raises(UnavailableError, match="ticketstream-embedding stands still 4 records behind"):
        SplitLog(Settings()).committed()


def test_a_letter_of_the_second_stage_names_its_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its value holds where the event lies; one of the first stage has that in its headers."""
    _cluster(monkeypatch)
    log = SplitLog(Settings())
    value = enriched_message(samples.enriched(body="x")).value
    assert log.place_of(record(5, value=value, partition=3), {"topic": b"tickets.enriched"}) == (0, 7)
    assert log.place_of(record(value=b"{}"), {"topic": b"tickets.enriched"}) is None
    first = {"topic": b"tickets.raw", "partition": b"2", "offset": b"11"}
    assert log.place_of(record(value=b"{}"), first) == (2, 11)


def test_a_topic_that_has_lost_its_beginning_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index made of it would lack tickets, and nobody would know."""
    _cluster(monkeypatch, start=3)
    with pytest.raises(ConfigError, match=r"first 3 records of tickets\.embedded have expired.*tickets\.raw"):
        EmbeddedLog(Settings())


def _embedded(offset: int, ticket_id: str, version: int, model: str, *, deleted: bool = False) -> Record:
    points = () if deleted else (Point("p", np.ones(4, np.float32), {"chunk": 0}),)
    message = embedded_message(TicketPoints("acme", ticket_id, version, points), model=model)
    return Record(
        Origin("tickets.embedded", 0, offset), f"acme/{ticket_id}".encode(), message.value, 0, message.headers
    )


def _log(monkeypatch: pytest.MonkeyPatch, records: Sequence[Record]) -> tuple[EmbeddedLog, Any]:
    _cluster(monkeypatch)

    class Given(EmbeddedLog):
        def records(self, start: Mapping[int, int] | None = None) -> Iterator[Record]:
            assert start is None
            return iter(records)

    log = Given(Settings())
    fold = log.fold()
    fold.read(log.records())
    return log, fold


def test_the_model_is_that_of_what_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Older versions may be another model's; a delete has no vectors to tell."""
    log, fold = _log(
        monkeypatch,
        [_embedded(0, "1", 1, "old"), _embedded(1, "1", 2, "new"), _embedded(2, "2", 1, "old", deleted=True)],
    )
    assert log.model_of(fold) == ("new", 4)


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([_embedded(0, "1", 1, "one"), _embedded(1, "2", 1, "two")], r"2 models \(one, two\)"),
        ([_embedded(0, "1", 1, "one", deleted=True)], "holds no vectors"),
    ],
)
def test_vectors_of_two_models_or_of_none_are_refused(
    monkeypatch: pytest.MonkeyPatch, records: list[Record], said: str
) -> None:
    """They can't meet in one index; the line says what to build it from instead."""
    log, fold = _log(monkeypatch, records)
    with pytest.raises(ConfigError, match=rf"{said}.*tickets\.raw"):
        log.model_of(fold)
