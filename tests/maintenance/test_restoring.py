"""A generation is restored in order, to the partitions that its records had."""

from collections.abc import Sequence

import pytest

from archive.files import DamagedError
from archive.generation import Generation
from archive.layout import data_file, generation_of
from archive.partition import PartitionArchive
from connectors.kafka.producer import Outgoing
from core.errors import ConfigError, RefusedError
from core.provenance import LogIdentity
from core.records import Damage, Origin, Record
from maintenance.restoring import Restored, restore
from tests.archive.fakes import MemoryArchive

_LOG = LogIdentity("raw", "cluster", "topic-id")


class _Sent:
    """A topic that refuses values longer than `most`, and times after `latest_ms`."""

    def __init__(self, *, most: int = 100, latest_ms: int = 10**13) -> None:
        self.records: list[Outgoing] = []
        self.slices: list[int] = []
        self._most = most
        self._latest_ms = latest_ms

    def offer(self, records: Sequence[Outgoing]) -> dict[int, RefusedError]:
        self.slices.append(len(records))
        refused = {place for place, one in enumerate(records) if not self._takes(one)}
        self.records += [one for place, one in enumerate(records) if place not in refused]
        return {place: RefusedError("refused") for place in refused}

    def _takes(self, record: Outgoing) -> bool:
        return len(record.value or b"") <= self._most and record.timestamp_ms <= self._latest_ms


def _generation(*records: Record) -> Generation:
    store = MemoryArchive()
    for number in {record.origin.partition for record in records}:
        archive = PartitionArchive(store, _LOG, number)
        draft = archive.draft(0)
        for record in records:
            if record.origin.partition == number:
                draft.add(record, log_start=0)
        archive.write(draft.seal())
    return Generation(store, generation_of(_LOG))


def test_records_are_restored_as_they_were() -> None:
    """Key, value, headers, time and partition stay; what no client could read is counted and left out."""
    whole = Record(Origin("raw", 1, 0), b"k", None, 7, (("h", b"\xff"),))
    unreadable = Record(Origin("raw", 1, 1), None, None, -1, (), Damage("record", "checksum", 5))
    timeless = Record(Origin("raw", 0, 3), None, b"\xff", -1)
    sent = _Sent()
    assert restore(_generation(whole, unreadable, timeless), sent, "new", partitions=2) == Restored(2, 1, 0)
    assert sent.records == [
        Outgoing("new", None, b"\xff", (), 0, 0),
        Outgoing("new", b"k", None, (("h", b"\xff"),), 1, 7),
    ]


def test_a_delete_that_lost_its_version_is_not_restored() -> None:
    """A null value whose headers were lost would become a final delete; workers have rejected it."""
    damage = Damage("headers", "a name is not UTF-8", 0)
    delete = Record(Origin("raw", 0, 0), b"acme/1", None, 7, (), damage)
    event = Record(Origin("raw", 0, 1), b"acme/1", b"{}", 7, (), damage)
    sent = _Sent()
    assert restore(_generation(delete, event), sent, "new", partitions=1) == Restored(1, 1, 0)
    assert [record.value for record in sent.records] == [b"{}"]


def test_a_refused_record_stops_no_other() -> None:
    """A record that is too large for the topic is counted, and those after it are restored."""
    records = [Record(Origin("raw", 0, n), b"k", b"v" * (101 if n == 1 else 1), 7) for n in range(3)]
    sent = _Sent()
    assert restore(_generation(*records), sent, "new", partitions=1) == Restored(2, 0, 0, refused=1)
    assert [record.timestamp_ms for record in sent.records] == [7, 7]


def test_a_record_of_a_refused_time_is_restored_with_the_present_one() -> None:
    """A broker may refuse a time far in the future, which an earlier broker took."""
    records = [Record(Origin("raw", 0, n), b"k", b"v", 253_402_300_799_999 if n == 1 else 7) for n in range(3)]
    sent = _Sent()
    assert restore(_generation(*records), sent, "new", partitions=1) == Restored(3, 0, 0)
    assert sorted(record.timestamp_ms for record in sent.records) == [0, 7, 7]


def test_large_records_are_sent_in_small_slices() -> None:
    """A slice ends at 8 MiB, so that memory doesn't grow with the records."""
    sent = _Sent(most=2**22)
    records = [Record(Origin("raw", 0, n), b"k", b"v" * 2**22, 7) for n in range(5)]
    assert restore(_generation(*records), sent, "new", partitions=1) == Restored(5, 0, 0)
    assert sent.slices == [2, 2, 1]


def test_too_few_partitions_are_refused() -> None:
    """Events of a ticket must not change their order."""
    with pytest.raises(ConfigError, match="create the topic with 2 partitions"):
        restore(_generation(Record(Origin("raw", 1, 0), b"k", b"v", 0)), _Sent(), "new", partitions=1)


def test_an_unknown_generation_is_refused() -> None:
    """A generation without files restores nothing, and says so."""
    with pytest.raises(ConfigError, match="has no files"):
        restore(Generation(MemoryArchive(), "raw/x"), _Sent(), "new", partitions=1)


def test_a_copy_that_lacks_files_is_restored_as_far_as_it_goes() -> None:
    """Every file that was copied is restored, listed or not, and the offsets that are missing are counted."""
    store = MemoryArchive()
    archive = PartitionArchive(store, _LOG, 0)
    for first in range(0, 10, 2):
        draft = archive.draft(first)
        for offset in (first, first + 1):
            draft.add(Record(Origin("raw", 0, offset), b"k", b"%d" % offset, 0), log_start=0)
        archive.write(draft.seal())
        if first == 6:
            listed = {name: data for name, data in store.objects.items() if "/manifest/" in name}
    store.objects |= listed  # the manifest's last version wasn't copied
    del store.objects[data_file(f"{generation_of(_LOG)}/00000", 4)]
    sent, generation = _Sent(), Generation(store, generation_of(_LOG))
    with pytest.raises(DamagedError, match="is missing; restore it from a copy"):
        restore(generation, sent, "new", partitions=1)
    assert restore(generation, sent, "new", partitions=1, copy=True) == Restored(8, 0, 2)
    assert [record.value for record in sent.records] == [b"0", b"1", b"2", b"3", b"6", b"7", b"8", b"9"]


def test_a_copy_with_a_file_of_another_log_is_refused() -> None:
    """Events of another topic are never mixed in."""
    store, other = MemoryArchive(), LogIdentity("raw", "cluster", "other-id")
    draft = PartitionArchive(store, other, 0).draft(0)
    draft.add(Record(Origin("raw", 0, 0), b"k", b"v", 0), log_start=0)
    PartitionArchive(store, other, 0).write(draft.seal())
    (name,) = (name for name in store.objects if "/data/" in name)
    store.objects = {name.replace("other-id", "topic-id"): store.objects[name]}
    with pytest.raises(DamagedError, match=r"belongs to raw/cluster.other-id\[0\]; move it away"):
        restore(Generation(store, generation_of(_LOG)), _Sent(), "new", partitions=1, copy=True)
