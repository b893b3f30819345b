"""Reading the topics of a split stream for comparisons and rebuilds."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import pytest

from connectors.kafka.lag import PartitionLag
from connectors.kafka.producer import Outgoing, open_sender
from core.errors import ConfigError, UnavailableError
from core.provenance import LogIdentity
from core.records import Origin, Point, Record, TicketPoints
from core.settings import ContractSettings, KafkaSettings, Settings
from core.topic_settings import TopicSettings
from core.wire.embedded import encode_embedded
from core.wire.enriched import encode_enriched
from maintenance import split_log
from maintenance.fold import Fold
from maintenance.split_log import EmbeddedLog, SplitLog, open_embedded_log, sampled_versions
from operators.decode import decode
from tests.connectors.kafka.topics import new_topic
from tests.fakes import record
from tests.maintenance.test_reconcile import event
from tests.operators import samples

_PARTITIONS = {"tickets.raw": 1, "tickets.embedded": 1, "tickets.dlq": 1}


class _Cluster:
    """One partition per topic; the embedding role commits two records at each query, up to `most`."""

    def __init__(self, *, most: int = 100, start: int = 0) -> None:
        self._most = most
        self._start = start
        self.committed = 0

    def require_topics(self, names: Sequence[str]) -> dict[str, int]:
        return dict.fromkeys(names, 1)

    def options(self, topic: str) -> dict[str, str]:  # noqa: ARG002
        return {}

    def identify(self, topic: str) -> LogIdentity:
        return LogIdentity(topic)

    def lag(self, topic: str, group: str) -> list[PartitionLag]:
        if group.endswith("-enrichment"):
            return [PartitionLag(topic, 0, 7, 0, 9)]
        found = PartitionLag(topic, 0, self.committed, self._start, 8)
        self.committed = min(self.committed + 2, self._most)
        return [found]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split_log, "_POLL_S", 0.001)
    monkeypatch.setattr(split_log, "_PATIENCE_S", 0.05)


def test_a_comparison_waits_for_the_embedding_role() -> None:
    """A comparison waits until the embedding role has read the records of the enrichment role's commits."""
    cluster = _Cluster()
    assert SplitLog(Settings(), cluster, partitions=_PARTITIONS).committed() == {0: 7}
    assert cluster.committed >= 8


def test_an_embedding_role_that_commits_nothing_is_an_error() -> None:
    """A stopped embedding role is a one-line error, instead of a comparison that reports its backlog as lost."""
    log = SplitLog(Settings(), _Cluster(most=4), partitions=_PARTITIONS)
    with pytest.raises(
        UnavailableError, match=r"ticketstream-embedding is 4 records behind .* start the embedding role"
    ):
        log.committed()


def test_a_dead_letter_of_either_role_gives_the_events_position() -> None:
    """The embedding role's dead letter has the event's position in its value, the enrichment role's in its headers."""
    log = SplitLog(Settings(), _Cluster(), partitions=_PARTITIONS)
    value = encode_enriched(samples.enriched(body="x")).value
    assert log.raw_position(record(5, value=value, partition=3), {"topic": b"tickets.enriched"}) == (0, 7)
    assert log.raw_position(record(value=b"{}"), {"topic": b"tickets.enriched"}) is None
    first = {"topic": b"tickets.raw", "partition": b"2", "offset": b"11"}
    assert log.raw_position(record(value=b"{}"), first) == (2, 11)


def test_a_hostile_dead_letter_has_no_position() -> None:
    """Anybody may write to the topic: a number of 5,000 digits, or a value that nests deeply, stops no repair."""
    log = SplitLog(Settings(), _Cluster(), partitions=_PARTITIONS)
    endless = {"topic": b"tickets.raw", "partition": b"2", "offset": b"9" * 5_000}
    assert log.raw_position(record(value=b"{}"), endless) is None
    nested = b"\x81\xa1x" + b"\x91" * 60_000 + b"\xc0"
    assert log.raw_position(record(value=nested), {"topic": b"tickets.enriched"}) is None


def test_a_topic_whose_first_records_expired_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index rebuilt from a topic without its first records would lack tickets, so the topic is refused."""
    monkeypatch.setattr(split_log, "open_cluster", lambda _settings: _Cluster(start=3))
    with pytest.raises(ConfigError, match=r"first 3 records of tickets\.embedded have expired.*tickets\.raw"):
        open_embedded_log(Settings())


def _embedded(offset: int, ticket_id: str, version: int, model: str, *, deleted: bool = False) -> Record:
    points = () if deleted else (Point("p", np.ones(4, np.float32), {"chunk": 1}),)
    message = encode_embedded(TicketPoints("acme", ticket_id, version, points), model=model)
    return Record(
        Origin("tickets.embedded", 0, offset), f"acme/{ticket_id}".encode(), message.value, 0, message.headers
    )


class _EmbeddedLog(EmbeddedLog):
    """Holds the given records."""

    def __init__(self, records: Sequence[Record]) -> None:
        super().__init__(Settings(), _Cluster(), topic="tickets.embedded", partitions=_PARTITIONS)
        self._records = records

    def records(self, start: Mapping[int, int] | None = None) -> Iterator[Record]:
        assert start is None
        return iter(self._records)

    def folded(self) -> Fold:
        fold = self.fold()
        fold.read(self.records())
        return fold


def test_the_latest_tickets_decide_the_model() -> None:
    """Older versions may be another model's, and a delete has no vectors."""
    log = _EmbeddedLog(
        [_embedded(0, "1", 1, "old"), _embedded(1, "1", 2, "new"), _embedded(2, "2", 1, "old", deleted=True)]
    )
    assert log.model_of(log.folded()) == ("new", 4)


def test_the_last_embedded_records_show_what_kind_of_version_the_workers_write(tansu: str) -> None:
    """Tickets that the log lacks, and records that are no tickets, are left out; without the topic there is nothing."""
    topic = new_topic(tansu)
    settings = Settings(kafka=KafkaSettings(brokers=tansu), topics=TopicSettings(embedded=topic))
    sent = [_embedded(n, str(n), 100 + n, "model") for n in range(split_log._SAMPLE + 5)]
    messages = [Outgoing(topic, one.key, one.value, one.headers) for one in sent]
    open_sender(settings.kafka).send([*messages[:-2], Outgoing(topic, b"acme/1", b"{"), *messages[-2:]])
    fold = Fold(decode=partial(decode, settings=ContractSettings()))
    fold.read([event(0, str(n), n) for n in (0, 52, 53)])
    # a broker that reports the start of the last batch as the end has more of them read
    assert list(sampled_versions(settings, fold))[-2:] == [(52, 152), (53, 153)]
    gone = settings.model_copy(update={"topics": TopicSettings(embedded=f"{topic}-gone")})
    assert list(sampled_versions(gone, fold)) == []


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([_embedded(0, "1", 1, "one"), _embedded(1, "2", 1, "two")], r"2 models \(one, two\)"),
        ([_embedded(0, "1", 1, "one", deleted=True)], "holds no vectors"),
    ],
)
def test_vectors_of_several_models_or_of_none_are_refused(records: list[Record], reason: str) -> None:
    """The error says that the index can be rebuilt from the raw topic instead."""
    log = _EmbeddedLog(records)
    with pytest.raises(ConfigError, match=rf"{reason}.*tickets\.raw"):
        log.model_of(log.folded())
