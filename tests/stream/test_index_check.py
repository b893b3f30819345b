"""The comparison of index, log and group before a worker joins its group."""

import time

import pytest

from connectors.qdrant.provenance import ProvenanceStore
from core import provenance
from core.errors import ConfigError, UnavailableError
from core.provenance import LogIdentity, MismatchError, Progress, Provenance
from core.settings import IndexSettings
from stream import index_check
from stream.index_check import IndexCheck
from stream.integrity import SHOWN_S, Integrity, stay_up
from stream.telemetry import StreamTelemetry
from tests.stream.provenances import GROUP, LOG, FakeOffsets, MemoryEngine, created, origin, until, written

_STORED = {"TICKETS_CONTRACT__VERSION_SOURCE": "version", "TICKETS_KAFKA__GROUP": GROUP}


@pytest.fixture(autouse=True)
def _no_confirmation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_check, "CONFIRM_S", 0.0)


def _start(
    store: ProvenanceStore,
    offsets: FakeOffsets,
    *,
    reread: bool = False,
    stored: dict[str, str] | None = None,
    integrity: Integrity | None = None,
) -> Provenance:
    check = IndexCheck(store, offsets, topic=LOG.topic, group=GROUP, where="collection tickets")
    settings = IndexSettings(on_mismatch="reread" if reread else "stop")
    found, log = check.start(settings, stored or _STORED, integrity or Integrity(StreamTelemetry()))
    assert log == LOG
    return found


def test_a_new_index_of_a_new_group_is_prepared() -> None:
    """Its log and the settings that it is written with are noted."""
    found = _start(created(MemoryEngine()), FakeOffsets({0: None, 1: None}))
    assert (found.logs, found.settings) == ((Progress(LOG),), _STORED)


def test_a_changed_setting_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Two workers of different settings would write different points, and the last one's settings would be noted."""
    store, name = created(MemoryEngine()), "TICKETS_CHUNK__MAX_TOKENS"
    _start(store, FakeOffsets({0: None}), stored={**_STORED, name: "128"})
    assert "is now" not in caplog.text
    _start(store, FakeOffsets({0: None}), stored={**_STORED, name: ""})
    assert f"{name} is not set now, and the index was written with 128" in caplog.text
    assert len(caplog.records) == 1


def test_an_index_that_holds_what_is_committed_is_accepted() -> None:
    """A position may be ahead of the offset, as it is noted before the commit; a new group may be far behind."""
    for committed in ({0: 10, 1: 7}, {0: 4, 1: 7}, {0: None, 1: None}):
        engine = MemoryEngine()
        found = _start(written(engine, {0: 10, 1: 7}), FakeOffsets(committed))
        assert found.of(LOG) == Progress(LOG, {0: 10, 1: 7})


@pytest.mark.parametrize("positions", [{}, {0: 6, 1: 7}])
def test_an_index_that_lacks_what_is_committed_stops_the_worker(positions: dict[int, int]) -> None:
    """The error says what is missing and what to do; the index is marked, so that no reader trusts it either."""
    store, integrity = written(MemoryEngine(), positions), Integrity(StreamTelemetry())
    offsets = FakeOffsets({0: 10, 1: 7})
    missing = 17 - sum(positions.values())
    wanted = (
        rf"the index lacks {missing} record\(s\) .* lost or restored .*tickets\.raw\[0\] is committed to 10.*; restore "
        "a newer copy of collection tickets, or set TICKETS_INDEX__ON_MISMATCH=reread"
    )
    with pytest.raises(MismatchError, match=wanted) as raised:
        _start(store, offsets, integrity=integrity)
    assert raised.value.exit_code == 3
    assert (until(store), origin(store).missing) == ({0: 10, 1: 7}, missing)
    assert integrity.fault is not None
    assert offsets.rewound == []


def test_missing_records_are_read_again_where_that_is_set() -> None:
    """The group is set back to the index's positions, and no search is answered until these have caught up."""
    store, integrity = written(MemoryEngine(), {0: 6, 1: 7}), Integrity(StreamTelemetry())
    offsets = FakeOffsets({0: 10, 1: 7, 2: 3})
    _start(store, offsets, reread=True, integrity=integrity)
    assert offsets.rewound == [{0: 6, 2: 0}]
    assert integrity.mismatch is None
    assert "lacks 7 record(s)" in (integrity.fault or "")
    store.advance(LOG, {0: (6, 10), 2: (0, 3)})
    integrity.observed(origin(store))
    assert integrity.fault is None


def test_a_worker_that_ends_while_it_reads_again_resumes() -> None:
    """The mark stays in the index, so the next worker answers no search either, and the group isn't set back again."""
    store = written(MemoryEngine(), {0: 6})
    offsets = FakeOffsets({0: 10})
    _start(store, offsets, reread=True)
    offsets.committed[0] = 6
    integrity = Integrity(StreamTelemetry())
    _start(store, offsets, reread=True, integrity=integrity)
    assert "lacks 4 record(s)" in (integrity.fault or "")
    assert len(offsets.rewound) == 1


def test_records_that_the_log_no_longer_holds_are_not_read_again() -> None:
    """If the missing records have expired, the worker stops even with the setting, because a gap would remain."""
    offsets = FakeOffsets({0: 10}, starts={0: 8})
    with pytest.raises(MismatchError, match=r"tickets\.raw no longer has 2 of them, so restore a newer copy"):
        _start(written(MemoryEngine(), {0: 6}), offsets, reread=True)
    assert offsets.rewound == []


def test_a_trimmed_log_is_no_fault_of_an_index_that_holds_it() -> None:
    """Records that were read before they expired are not missing."""
    offsets = FakeOffsets({0: 10, 1: None}, starts={0: 10, 1: 5})
    assert _start(written(MemoryEngine(), {0: 10}), offsets).of(LOG).positions == {0: 10}


def test_records_that_expired_unread_are_noted_in_the_index() -> None:
    """Expired records can't be read again, so the worker reads on, and every reader of the index is warned."""
    integrity = Integrity(StreamTelemetry())
    store = written(MemoryEngine(), {0: 10})
    assert _start(store, FakeOffsets({0: 10}, starts={0: 30}), integrity=integrity).expired == 20
    assert integrity.fault is None
    assert "20 record(s) were deleted" in (integrity.warning or "")
    store.advance(LOG, {0: (10, 30)})
    assert _start(store, FakeOffsets({0: 30})).expired == 0, "somebody has cleared the count, as the runbook says"


def test_two_workers_set_the_group_back_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker continues if another one has already set the group back and joined it."""
    offsets = FakeOffsets({0: 10})

    def rewound_by_another(*_args: object, **_more: object) -> None:
        offsets.committed[0] = 6
        raise UnavailableError("the group has members")

    monkeypatch.setattr(offsets, "rewind", rewound_by_another)
    assert _start(written(MemoryEngine(), {0: 6}), offsets, reread=True).missing == 4


_EARLIER = LogIdentity("tickets.raw", "cluster-1", "topic-0")


def test_an_index_of_a_topic_that_was_deleted_stops_the_worker() -> None:
    """Its versions may outrank those of the topic that was created again."""
    wanted = r"another log: topic tickets\.raw was deleted and created again since; run `ticketstream rebuild`"
    with pytest.raises(MismatchError, match=wanted):
        _start(written(MemoryEngine(), {0: 6}, _EARLIER), FakeOffsets({0: None}))


def test_a_topic_that_was_created_again_is_read_into_the_index_where_that_is_set(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The old topic's positions no longer count, and a log line says how many of its tickets are left."""
    offsets = FakeOffsets({0: 4})
    found = _start(written(MemoryEngine(), {0: 6}, _EARLIER), offsets, reread=True)
    assert found.logs == (Progress(LOG, {}, {0: 4}),)
    assert offsets.rewound == [{0: 0}]
    assert "keeps the tickets of the old topic" in caplog.text


@pytest.mark.parametrize("reread", [False, True])
@pytest.mark.parametrize(
    ("other", "words"),
    [
        (LogIdentity("tickets.raw", "cluster-2", "topic-1"), "from cluster cluster-2, and this cluster is cluster-1"),
        (LogIdentity("tickets.enriched", "cluster-2", "topic-3"), "from cluster cluster-2"),
    ],
)
def test_an_index_of_another_log_stops_the_worker(other: LogIdentity, words: str, reread: bool) -> None:
    """Nothing is read, as versions can't be compared. The index isn't marked: it may be the right one."""
    store = written(MemoryEngine(), {0: 6}, other)
    with pytest.raises(
        MismatchError, match=rf"the index belongs to another log: .*{words}.*run `ticketstream rebuild`"
    ):
        _start(store, FakeOffsets({0: None}), reread=reread)
    assert [progress.log for progress in origin(store).logs] == [other]
    assert origin(store).missing == 0


def test_an_identity_that_is_not_known_is_not_another() -> None:
    """An unknown topic id, as of an older broker, isn't a different log."""
    older = LogIdentity("tickets.raw", "cluster-1", None)
    found = _start(written(MemoryEngine(), {0: 6}, older), FakeOffsets({0: 6}))
    assert found.logs == (Progress(older, {0: 6}),)


def test_another_topic_of_the_cluster_is_a_second_log() -> None:
    """When a stream is split, its index is written from another topic, and keeps its positions in the first."""
    raw = Progress(LogIdentity("tickets.aaa", "cluster-1", "topic-0"), {0: 99})
    found = _start(written(MemoryEngine(), raw.positions, raw.log), FakeOffsets({0: None}))
    assert found.logs == (raw, Progress(LOG))


def test_an_offset_of_a_topic_that_was_deleted_is_none_of_this_log() -> None:
    """A new index beside a topic that was created again has nothing to read again."""
    offsets = FakeOffsets({0: 10})
    offsets.topic_id = "topic-0"
    assert _start(created(MemoryEngine()), offsets).logs == (Progress(LOG),)


def test_an_index_of_an_earlier_version_is_adopted(caplog: pytest.LogCaptureFixture) -> None:
    """An index of an earlier version is assumed to hold all committed records, and a log line says so."""
    store = created(MemoryEngine(), adopted=True)
    assert _start(store, FakeOffsets({0: 10, 1: None})).of(LOG).positions == {0: 10}
    assert "was written by an earlier version" in caplog.text


def test_workers_of_an_earlier_version_may_commit_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """For an hour an offset ahead of the index is accepted, for a rolling upgrade; later it is a mismatch."""
    store = created(MemoryEngine(), adopted=True)
    _start(store, FakeOffsets({0: 10}))
    assert _start(store, FakeOffsets({0: 15})).of(LOG).positions == {0: 15}
    monkeypatch.setattr(provenance, "ADOPTION_MS", 0)
    with pytest.raises(MismatchError, match=r"lacks 5 record\(s\)"):
        _start(store, FakeOffsets({0: 20}))


def test_a_clock_that_was_ahead_does_not_prolong_that_hour() -> None:
    """An index that was adopted on a day in the future would otherwise prove nothing until then."""
    ahead_ms = int(time.time() * 1000) + 2 * provenance.ADOPTION_MS
    found = Provenance(index="i", model="m", created_ms=ahead_ms, adopted=True, logs=(Progress(LOG),))
    assert not found.is_adoptable(LOG)


def test_an_unfinished_rebuild_is_named() -> None:
    """An index whose rebuild was not completed is refused with that reason."""
    engine = MemoryEngine()
    store = created(engine, replaces="old")
    store.note_log(LOG)
    store.advance(LOG, {0: (0, 6)})
    with pytest.raises(MismatchError, match="by a rebuild that has not finished; run `ticketstream rebuild` again"):
        _start(store, FakeOffsets({0: 10}))


def test_another_kind_of_version_is_refused() -> None:
    """An index with another version source is refused, because mixed versions and times would freeze tickets."""
    store = written(MemoryEngine(), {0: 6})
    _start(store, FakeOffsets({0: 6}))
    with pytest.raises(ConfigError, match="VERSION_SOURCE is updated_at, but the index was written with version"):
        _start(store, FakeOffsets({0: 6}), stored={**_STORED, "TICKETS_CONTRACT__VERSION_SOURCE": "updated_at"})


def test_a_mismatch_is_shown_before_the_worker_stops(caplog: pytest.LogCaptureFixture) -> None:
    """The line is logged at once; /ready and the metrics stay up for longer than the time between two scrapes."""
    telemetry, waited = StreamTelemetry(), list[float]()
    integrity = Integrity(telemetry)
    with pytest.raises(MismatchError) as raised:
        _start(written(MemoryEngine(), {}), FakeOffsets({0: 10}), integrity=integrity)
    stay_up(integrity, raised.value, wait=waited.append)
    assert waited == [SHOWN_S]
    assert SHOWN_S > 15
    assert "the index lacks 10 record(s)" in caplog.text
    sample = telemetry.registry.get_sample_value
    assert (sample("tickets_index_mismatch"), sample("tickets_index_missing_records")) == (1, 10)


def test_a_check_that_trusts_every_index_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that finds no mismatch accepts an index that lacks records."""
    monkeypatch.setattr(index_check, "find_mismatch", lambda *_args: None)
    with pytest.raises(pytest.fail.Exception):
        test_an_index_that_lacks_what_is_committed_stops_the_worker({})
