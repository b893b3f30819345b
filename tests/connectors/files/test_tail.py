"""A growing, packed, replaced or half-written file gives the records of its complete lines."""

import gzip
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from connectors.files import CsvMapping, TimeReader, read_csv
from connectors.files.parsing import CsvFormat, CsvParser, JsonlParser, Parser
from connectors.files.tail import Tail, open_tail
from core.errors import ConfigError
from core.producing import Checkpoint

_NEW = Checkpoint(file_id="1", name="/in/x", first_ms=1_767_600_000_000)
_MAP = ("tenant_id:=acme", "body=text")


class Growing:
    """A file in memory."""

    def __init__(self, data: bytes, *, finished: bool = False, step: int = 7) -> None:
        self.data = data
        self.finished = finished
        self.position = 0
        self._step = step

    def state(self) -> tuple[str, int]:
        return f"stamp-{len(self.data)}", len(self.data)

    def read(self, size: int) -> bytes:
        data = self.data[self.position : self.position + min(size, self._step)]
        self.position += len(data)
        return data

    def changed(self) -> bool:
        return False

    def close(self) -> None:
        pass


def _jsonl(_checkpoint: Checkpoint) -> Parser:
    return JsonlParser(topic="t")


def _csv(checkpoint: Checkpoint) -> Parser:
    form = CsvFormat(CsvMapping.parse(_MAP), TimeReader())
    return CsvParser(form, topic="t", name="/in/x", rows=checkpoint.rows, first_ms=checkpoint.first_ms, max_bytes=5_000)


def _open(file: Growing, checkpoint: Checkpoint = _NEW, *, csv: bool = False) -> Tail:
    tail = open_tail(file, checkpoint, _csv if csv else _jsonl, max_line_bytes=200)
    assert tail is not None
    return tail


def _event(number: int) -> bytes:
    return b'{"tenant_id":"a","ticket_id":"%d"}' % number


def _numbers(tail: Tail, *, settled: bool = False) -> tuple[list[int], Checkpoint]:
    batch = tail.batch(1_000, now_ms=1, settled=settled)
    return [int((record.key or b"").rpartition(b"/")[2]) for record in batch.records], batch.checkpoint


@given(
    st.lists(st.sampled_from(["event", "blank", "bad", "long"]), max_size=20),
    st.lists(st.integers(1, 3), min_size=1, max_size=30),
    st.sampled_from(["utf-8", "utf-16", "gzip"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_any_growth_and_any_restarts_give_each_line_once(
    kinds: list[str], steps: list[int], form: str, end: str
) -> None:
    """However a file grows, and wherever a task dies after a checkpoint, each line of the file is read once."""
    kinds = ["event", *kinds]  # a file of less than four bytes waits for more
    texts = {"event": "{n}", "blank": "", "bad": "oops", "long": "x" * 300}
    lines = [texts[kind].replace("{n}", _event(n).decode()) + end for n, kind in enumerate(kinds)]
    parts = [part.encode("utf-16-le" if form == "utf-16" else "utf-8") for part in lines]
    content = b"".join(parts)
    data = gzip.compress(content[:50]) + gzip.compress(content[50:]) if form == "gzip" else content
    found: list[int] = []
    rejected, checkpoint, seen = 0, _NEW, 0
    for step in [*steps, 10**6]:
        seen = min(len(data), seen + step * 40)
        tail = _open(Growing(data[:seen]), checkpoint)
        while True:
            batch = tail.batch(2, now_ms=1, settled=False)
            found += [int((record.key or b"").rpartition(b"/")[2]) for record in batch.records]
            rejected += len(batch.rejected)
            checkpoint = batch.checkpoint
            if batch.at_end:
                break
    assert found == [n for n, kind in enumerate(kinds) if kind == "event"]
    assert rejected == sum(kind in ("bad", "long") for kind in kinds)
    assert checkpoint.position == len(content)
    assert checkpoint.lines == len(kinds)
    assert checkpoint.stamp == f"stamp-{len(data)}"


@pytest.mark.parametrize("position", [0, 20, 36])
def test_other_bytes_are_another_file(position: int) -> None:
    """A checkpoint holds only for a file that begins with the bytes that were sent."""
    data = b"".join(_event(n) + b"\n" for n in range(3))
    _, checkpoint = _numbers(_open(Growing(data)))
    other = data[:position] + b"#" + data[position + 1 :]
    assert open_tail(Growing(other), checkpoint, _jsonl, max_line_bytes=200) is None
    assert open_tail(Growing(data[:-1]), checkpoint, _jsonl, max_line_bytes=200) is None
    assert open_tail(Growing(data), structs.replace(checkpoint, digest="x"), _jsonl, max_line_bytes=200) is None


def test_a_last_line_without_an_end_is_sent_once() -> None:
    """A complete last line counts once settled, and not again when its line break arrives, even after a restart."""
    data = _event(1) + b"\n" + _event(2)
    tail = _open(Growing(data))
    assert _numbers(tail)[0] == [1]
    found, checkpoint = _numbers(tail, settled=True)
    assert found == [2]
    assert _numbers(tail, settled=True)[0] == []
    assert (checkpoint.stamp, checkpoint.left) == (f"stamp-{len(data)}", len(_event(2)))
    assert _numbers(_open(Growing(data + b"\n" + _event(3) + b"\n"), checkpoint))[0] == [3]


def test_a_half_line_is_never_sent() -> None:
    """The checkpoint of a half-written file counts the bytes left, and the line is sent once it is complete."""
    data = _event(1) + b"\n" + _event(2)[:9]
    found, checkpoint = _numbers(_open(Growing(data)), settled=True)
    assert found == [1]
    assert (checkpoint.stamp, checkpoint.left) == (f"stamp-{len(data)}", 9)
    whole = _event(1) + b"\n" + _event(2) + b"\n"
    assert _numbers(_open(Growing(whole), checkpoint))[0] == [2]


def test_an_object_ends_where_it_ends() -> None:
    """The last line of a file that can't grow is read at once, good or bad."""
    assert _numbers(_open(Growing(_event(1) + b"\n" + _event(2), finished=True)))[0] == [1, 2]
    batch = _open(Growing(_event(1)[:9], finished=True)).batch(9, now_ms=1, settled=False)
    assert [item.code for item in batch.rejected] == ["bad_json"]


def test_a_packed_file_that_is_cut_or_damaged_is_no_whole_file() -> None:
    """A truncated gzip file may still grow in a folder, but not as an object; the error of a damaged one names it."""
    data = gzip.compress(_event(1) + b"\n" + _event(2))
    file = Growing(data[:-4])
    tail = _open(file)
    assert _numbers(tail, settled=True)[0] == [1]
    file.data = data
    assert _numbers(tail, settled=True)[0] == [2]
    with pytest.raises(ConfigError, match="/in/x: the gzip data ends too early"):
        _numbers(_open(Growing(data[:-4], finished=True)))
    with pytest.raises(ConfigError, match="/in/x: the gzip data is damaged"):
        _numbers(_open(Growing(data[:-8] + bytes(8), finished=True)))


def _bodies(data: bytes) -> tuple[list[bytes], Sequence[tuple[str, int]]]:
    batch = _open(Growing(data, finished=True), csv=True).batch(5_000, now_ms=1, settled=False)
    rejected = [(item.code, item.record.origin.offset) for item in batch.rejected]
    return [record.value or b"" for record in batch.records], rejected


@given(
    st.lists(st.text(alphabet='ab,;"\n é', min_size=1, max_size=12), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["", "sep"]),
    st.integers(0, 7),
)
def test_a_good_csv_gives_the_records_of_produce(bodies: list[str], mark: str, sep: str, cut: int) -> None:
    """The records of rows with several lines, quotes and delimiters are those of `produce`, after a restart too."""
    quoted = ['"' + body.replace('"', '""') + '"' for body in bodies]
    head = f"sep={mark}\n" if sep else ""
    text = head + f"id{mark}text\n" + "".join(f"{n}{mark}{body}\n" for n, body in enumerate(quoted))
    source = io.BytesIO(text.encode())
    wanted = read_csv(source, CsvMapping.parse(_MAP), topic="t", name="x", now_ms=_NEW.first_ms)
    first = _open(Growing(text.encode()), csv=True).batch(cut, now_ms=1, settled=False)
    second = _open(Growing(text.encode()), first.checkpoint, csv=True).batch(1_000, now_ms=1, settled=False)
    assert not second.rejected
    assert first.records + second.records == list(wanted)


def test_a_row_of_empty_cells_above_the_header_is_skipped() -> None:
    """A spreadsheet exports its blank first rows as delimiters; as a header they were an error of no file."""
    tail = _open(Growing(b',,,\n"", ,\nticket_id,text\n,\n7,b\n'), csv=True)
    assert _numbers(tail)[0] == [7]


def test_a_bad_row_takes_no_other_with_it() -> None:
    """A quote that is never closed, a wrong number of values, and bytes that aren't UTF-8 reject one line only."""
    rows = [b"1,good", b'2,"open', b"3,good", b'4,"t" t', b"5", b"6,\xff", b"7,good", b'8,"open', b"9,good"]
    values, rejected = _bodies(b"id,text\n" + b"\n".join(rows))
    assert sum(b'"good"' in value for value in values) == 4
    assert rejected == [("bad_row", 3), ("bad_row", 5), ("bad_row", 6), ("bad_utf8", 7), ("bad_row", 9)]


def test_a_bad_value_rejects_its_whole_row() -> None:
    """A row of two lines with a bad value becomes one dead letter, whose reason quotes no value."""
    data = b'id,text,created_at\n1,"two\nlines",secret\n2,b,\n'
    batch = _open(Growing(data, finished=True), csv=True).batch(9, now_ms=1, settled=False)
    assert len(batch.records) == 1
    [letter] = batch.rejected
    assert letter.record.value == b'1,"two\nlines",secret'
    assert letter.reason.startswith("line 2: created_at is [hidden], but must be a time")


def test_an_open_quote_holds_no_more_than_a_row_may_have() -> None:
    """An open quote is given up after the maximum length of a row, and the rows behind it are read."""
    rows = b"".join(b"%d,good\n" % n for n in range(1_000))
    values, rejected = _bodies(b'id,text\n0,"open\n' + rows)
    assert len(values) == 1_000
    assert rejected == [("bad_row", 2)]


def test_a_header_without_a_mapped_column_is_a_fault_of_the_file() -> None:
    """A header without a mapped column is an error of the file, and no row is rejected."""
    with pytest.raises(ConfigError, match="has no column text"):
        _bodies(b"id,words\n1,a\n")
