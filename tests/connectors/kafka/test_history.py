"""The notes in a group's commits, and the offsets that a consumer trusts."""

from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, OFFSET_INVALID, KafkaError, KafkaException, TopicPartition

from connectors.kafka.history import CommitNote, GroupHistory, parse_note
from core.errors import FatalError
from delivery.offsets import Gap
from tests.connectors.kafka.observers import HistoryRecorder


class _Watch:
    """A watch that has no client."""

    topic = "raw"

    def __init__(self, topic_id: str | None = "new", *, changes: bool = False) -> None:
        self.topic_id = topic_id
        self.changes = changes

    def changed(self) -> bool:
        return self.changes

    changed_now = changed


class _Client:
    """Answers with `committed`, by partition offset and metadata, or not at all; the log starts at `start`."""

    def __init__(self, committed: dict[int, tuple[int, str | None]] | None = None, start: int = 0) -> None:
        self.found = committed
        self.start = start

    def committed(self, partitions: list[TopicPartition], _timeout_s: float) -> list[TopicPartition]:
        if self.found is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return [_committed(p.partition, *self.found.get(p.partition, (OFFSET_INVALID, None))) for p in partitions]

    def get_watermark_offsets(self, _partition: TopicPartition, *, cached: bool) -> tuple[int, int]:
        del cached
        return self.start, 1_000


def _committed(partition: int, offset: int, metadata: str | None) -> TopicPartition:
    if metadata is None:
        return TopicPartition("raw", partition, offset)
    return TopicPartition("raw", partition, offset, metadata)


def _history(watch: _Watch | None = None) -> tuple[GroupHistory, HistoryRecorder]:
    observer, given = HistoryRecorder(), watch or _Watch()
    stand_in: Any = given
    return GroupHistory(stand_in, observer=observer), observer


def _resume(history: GroupHistory, client: _Client, partitions: int) -> tuple[dict[int, int], dict[Any, int] | None]:
    stand_in: Any = client
    start, committed = history.resume(stand_in, [TopicPartition("raw", n) for n in range(partitions)])
    return {one.partition: one.offset for one in start}, committed


@pytest.mark.parametrize("note", [CommitNote(), CommitNote("AbC-_1"), CommitNote(None, 7), CommitNote("x", 10**17)])
def test_a_note_is_read_as_it_is_written(note: CommitNote) -> None:
    """Formatting a note and parsing it returns the same note."""
    assert parse_note(note.text()) == note


@pytest.mark.parametrize("text", [None, "", "somebody else's", "topic=", "expired=-1", "topic=a expired=b", "{}"])
def test_metadata_of_other_programs_is_no_note(text: str | None) -> None:
    """Metadata in another format is an empty note, so its offset is trusted."""
    assert parse_note(text) == CommitNote()


def test_an_offset_of_another_topic_is_not_used() -> None:
    """A partition whose offset belongs to another topic id is read from the beginning; other offsets are used."""
    history, observer = _history()
    client = _Client({0: (300, "topic=old"), 1: (300, "topic=new expired=3"), 2: (300, None)})
    start, committed = _resume(history, client, 4)
    assert start == {0: OFFSET_BEGINNING, 1: OFFSET_INVALID, 2: OFFSET_INVALID, 3: OFFSET_INVALID}
    assert committed == {("raw", 1): 300, ("raw", 2): 300}
    assert observer.anew == [0]
    assert history.note(("raw", 0)) == "topic=new"
    assert history.note(("raw", 1)) == "topic=new expired=3"


def test_a_broker_without_ids_of_topics_is_trusted() -> None:
    """If the broker has no topic ids, every offset is used."""
    history, observer = _history(_Watch(None))
    start, _committed = _resume(history, _Client({0: (300, "topic=old")}), 1)
    assert start == {0: OFFSET_INVALID}
    assert observer.anew == []


def test_unknown_offsets_are_not_committed_over() -> None:
    """If the coordinator doesn't answer, reading begins, but nothing is committed until it does."""
    history, _observer = _history()
    client = _Client()
    stand_in: Any = client
    assert _resume(history, client, 1) == ({0: OFFSET_INVALID}, None)
    assert not history.may_commit(("raw", 0))
    history.check(stand_in)
    assert not history.may_commit(("raw", 0))
    client.found = {0: (5, "topic=new")}
    history.check(stand_in)
    assert history.may_commit(("raw", 0))


def test_an_unknown_offset_that_was_another_topic_s_ends_the_worker() -> None:
    """If the offset turns out to be another topic's, the worker ends without a commit: it may have skipped records."""
    history, _observer = _history()
    client = _Client()
    _resume(history, client, 1)
    client.found = {0: (5, "topic=old")}
    stand_in: Any = client
    with pytest.raises(FatalError, match="raw was deleted and created again"):
        history.check(stand_in)
    assert history.ended
    assert not history.may_commit(("raw", 0))


def test_a_topic_that_changes_while_it_is_read_ends_the_worker() -> None:
    """The worker ends when the watch, or a repeated offset, shows that the topic was created again."""
    for look in ("check", "check_now"):
        history, _observer = _history(_Watch(changes=True))
        arguments: list[Any] = [_Client({})] if look == "check" else []
        with pytest.raises(FatalError, match="start the worker again"):
            getattr(history, look)(*arguments)
        assert history.ended


@pytest.mark.parametrize(("start", "lost"), [(30, 20), (20, 10), (10, 0), (0, 0), (35, 20)])
def test_only_records_before_the_log_s_first_are_expired(start: int, lost: int) -> None:
    """Only a gap's offsets below the log's start are expired; others were compacted or are transaction markers."""
    history, observer = _history()
    client: Any = _Client(start=start)
    history.explain(client, [Gap(("raw", 0), 10, 30)])
    assert observer.lost == lost
    assert parse_note(history.note(("raw", 0))).expired == lost
