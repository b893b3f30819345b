"""Files of the archive: what goes in comes out, and damage is found."""

import gzip
import hashlib
import json
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.files import DamagedError, Draft, Entry, Gap, Sealed, describe, read_records
from archive.lines import FORMAT, Header, decode_record, encode_record
from core.provenance import LogIdentity
from core.records import Damage, Origin, Record

LOG = LogIdentity("raw", "cluster", "topic-id")
_HEADER = Header(FORMAT, LOG, 3, 10)

_blobs = st.none() | st.binary(max_size=20)
_records = st.builds(
    Record,
    st.builds(Origin, st.just("raw"), st.just(3), st.integers(0, 2**62)),
    _blobs,
    _blobs,
    st.integers(-1, 2**62),
    st.lists(st.tuples(st.text(max_size=5), _blobs), max_size=3).map(tuple),
    st.none() | st.just(Damage("headers", "a name is not UTF-8", 7)),
)


def _record(offset: int, value: bytes | None = b"{}", damage: Damage | None = None) -> Record:
    return Record(Origin("raw", 3, offset), b"acme/T-1", value, 1_000 + offset, (("trace", b"\xff"),), damage)


def _sealed(*records: Record, log_start: int = 0) -> Sealed:
    draft = Draft(_HEADER, now_ms=lambda: 5)
    for record in records:
        draft.add(record, log_start=log_start)
    return draft.seal()


@given(_records)
def test_a_record_survives_its_line(record: Record) -> None:
    """Key, value, headers, time, tombstones and damage come back as they were, whatever bytes they have."""
    line = encode_record(record)
    assert b"\n" not in line
    assert decode_record(line, "raw", 3) == record


def test_a_file_gives_its_records_back() -> None:
    """A file is read as it was written, and describes itself without a manifest."""
    records = [_record(10), _record(11, None), _record(12, b"\xff\x00")]
    sealed = _sealed(*records)
    assert list(read_records(sealed.file, sealed.entry, "here")) == records
    assert describe(sealed.file, "here") == (_HEADER, sealed.entry)
    assert (sealed.entry.first, sealed.entry.next, sealed.entry.records, sealed.entry.gaps) == (10, 13, 3, ())


def test_a_large_record_makes_no_line_that_is_much_larger() -> None:
    """As a text in JSON each of these bytes takes six, and a line that can't be read costs its whole file."""
    record = _record(10, b"\x01" * 23 * 2**20)
    sealed = _sealed(record)
    assert list(read_records(sealed.file, sealed.entry, "here")) == [record]
    assert len(encode_record(record)) < 32 * 2**20


def test_a_file_is_read_with_common_tools() -> None:
    """gzip, JSON and SHA-256 alone read a file: a text value is text, other bytes are base64."""
    sealed = _sealed(_record(10, b'{"a": 1}'), _record(11, b"\xff"), _record(12, None))
    sealed.file.seek(0)
    data = sealed.file.read()
    assert hashlib.sha256(data).hexdigest() == sealed.entry.sha256
    assert len(data) == sealed.entry.bytes
    lines = [json.loads(line) for line in gzip.decompress(data).splitlines()]
    assert [line["value"] for line in lines[1:-1]] == ['{"a": 1}', {"base64": "/w=="}, None]
    assert lines[-1] == {"next": 13, "records": 3, "written_ms": 5, "gaps": []}


def test_the_same_records_give_the_same_bytes() -> None:
    """A file depends on its records and its time alone."""
    assert _sealed(_record(10)).entry == _sealed(_record(10)).entry


@pytest.mark.parametrize(
    ("log_start", "gaps"),
    [
        (0, (Gap(10, 14, "empty"),)),
        (12, (Gap(10, 11, "expired"), Gap(12, 14, "empty"))),
        (20, (Gap(10, 14, "expired"),)),
    ],
)
def test_a_gap_says_why(log_start: int, gaps: tuple[Gap, ...]) -> None:
    """Offsets before the log's beginning have expired; others without a record are compacted, or markers."""
    assert _sealed(_record(15), log_start=log_start).entry.gaps == gaps


def test_a_batch_that_no_client_reads_is_no_gap() -> None:
    """A damaged record stands for its batch, as in the topic."""
    damaged = Record(Origin("raw", 3, 10), None, None, -1, (), Damage("record", "checksum", 19))
    entry = _sealed(damaged, _record(20)).entry
    assert (entry.next, entry.gaps) == (21, ())


def _damaged() -> dict[str, bytes]:
    sealed = _sealed(_record(10), _record(11))
    sealed.file.seek(0)
    whole = sealed.file.read()
    lines = gzip.decompress(whole).splitlines(keepends=True)
    return {
        "cut off": whole[:-9],
        "a flipped bit": whole[:40] + bytes([whole[40] ^ 1]) + whole[41:],
        "no gzip": b"hello",
        "empty": b"",
        "no end": gzip.compress(b"".join(lines[:-1])),
        "a record less": gzip.compress(b"".join([lines[0], *lines[2:]])),
        "another format": gzip.compress(lines[0].replace(b'"format":1', b'"format":2') + b"".join(lines[1:])),
        "foreign JSON": gzip.compress(b'{"a":1}\n{"b":2}\n'),
    }


@pytest.mark.parametrize("kind", _damaged())
def test_a_damaged_file_is_named(kind: str) -> None:
    """A file that is cut off, damaged or foreign is named, with or without its entry; none of its records is used."""
    file, entry = BytesIO(_damaged()[kind]), _sealed(_record(10), _record(11)).entry
    with pytest.raises(DamagedError, match=r"^here "):
        describe(file, "here")
    with pytest.raises(DamagedError, match=r"^here is damaged"):
        next(read_records(file, entry, "here"))


def test_an_entry_counts_what_expired() -> None:
    """`expired` is the number of offsets, not of gaps."""
    assert Entry(0, 9, 1, 1, "", 0, (Gap(0, 3, "expired"), Gap(5, 8, "empty"))).expired == 4
