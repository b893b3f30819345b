"""Dead letters are selected by their headers, and replayed as the records that they were."""

import hashlib

import pytest

from connectors.kafka.producer import Outgoing
from core.records import Headers, Origin, Record
from maintenance.replay import LetterFilter, digest_of, original, parts_of, summarise


def _letter(
    *, offset: int = 7, key: bytes | None = b"acme/1", value: bytes | None = b"{}", own: Headers = (), **about: str
) -> Record:
    names = {"stage": "decode", "code": "bad_json", "reason": "not JSON", "topic": "tickets.raw", "partition": "2"}
    given = {**names, "offset": "11", "first_seen_ms": "1700000000123", **about}
    headers = tuple((f"dlq-{name.replace('_', '-')}", text.encode()) for name, text in given.items())
    return Record(Origin("tickets.dlq", 1, offset), key, value, 1_700_000_000_999, own + headers)


def test_a_summary_has_everything_but_the_text() -> None:
    """The position is that of the letter, the origin that of the record."""
    found = summarise(_letter(value=b"secret"))
    assert (found.at, found.origin) == ("1:7", "tickets.raw[2]:11")
    assert (found.stage, found.code, found.reason, found.key) == ("decode", "bad_json", "not JSON", "acme/1")
    assert (found.first_seen_ms, found.bytes) == (1_700_000_000_123, 6)


def test_a_summary_is_short_whatever_the_letter_holds() -> None:
    """A summary's fields are bounded, because a list holds all of them and a key may have a megabyte."""
    found = summarise(_letter(key=b"k" * 900_000, reason="r" * 900_000, topic="t" * 900_000))
    assert found.key == "k" * 500 + "…"
    assert max(len(found.reason), len(found.origin), len(found.first_origin)) == 501


@pytest.mark.parametrize("written", ["", "soon", "-5", "٣", "9" * 15])
def test_a_malformed_first_seen_time_falls_back_to_the_letter_s(written: str) -> None:
    """A letter with a malformed header is first seen at its own timestamp."""
    assert summarise(_letter(first_seen_ms=written)).first_seen_ms == 1_700_000_000_999


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (LetterFilter(), True),
        (LetterFilter(stage="decode", code="bad_json", ticket="acme/1"), True),
        (LetterFilter(stage="index"), False),
        (LetterFilter(code="bad"), False),
        (LetterFilter(ticket="acme"), False),
        (LetterFilter(since_ms=1_700_000_000_999), True),
        (LetterFilter(since_ms=1_700_000_001_000), False),
        (LetterFilter(until_ms=1_700_000_000_999), False),
        (LetterFilter(until_ms=1_700_000_001_000), True),
    ],
)
def test_a_filter_matches_letters_that_meet_every_condition(wanted: LetterFilter, *, matches: bool) -> None:
    """`since_ms` is inclusive and `until_ms` exclusive."""
    assert wanted.matches(_letter()) is matches


def test_a_replayed_record_is_the_original_with_its_first_seen_time_and_origin() -> None:
    """Key, value and the producer's own headers are unchanged, and so is the partition."""
    own: Headers = (("version", b"4"), ("n", None))
    letter = _letter(value=None, own=own)
    parts = parts_of(letter)
    assert parts is not None
    marks = (("dlq-first-seen-ms", b"1700000000123"), ("dlq-first-origin", b"tickets.raw[2]:11"))
    assert original(letter, letter, parts) == Outgoing("tickets.raw", b"acme/1", None, (*own, *marks), 2)


def test_a_record_that_is_read_at_its_origin_keeps_its_time() -> None:
    """Where updated_at is the version, a delete has the time of its record, and a later one would outrank events."""
    letter = _letter(value=None, lost="record", last_offset="12")
    record = Record(Origin("tickets.raw", 2, 12), b"acme/1", None, 1_700_000_000_000)
    parts = parts_of(letter)
    assert parts is not None
    sent = original(letter, record, parts)
    assert (sent.key, sent.value, sent.timestamp_ms) == (b"acme/1", None, 1_700_000_000_000)
    assert dict(sent.headers)["dlq-first-origin"] == b"tickets.raw[2]:12"


def test_a_letter_of_a_replayed_record_keeps_the_first_origin() -> None:
    """A letter keeps the first origin through any number of replays; a malformed one is ignored."""
    parts = parts_of(_letter(first_origin="tickets.raw[2]:3"))
    assert parts is not None
    assert parts.first_origin == "tickets.raw[2]:3"
    forged = parts_of(_letter(first_origin="anything"))
    assert forged is not None
    assert forged.first_origin == "tickets.raw[2]:11"


@pytest.mark.parametrize(("topic", "partition"), [("", "2"), ("tickets.raw", "none"), ("tickets raw", "2")])
def test_a_letter_without_an_origin_has_no_parts(topic: str, partition: str) -> None:
    """A letter without an origin, which no worker wrote, has no parts."""
    assert parts_of(_letter(topic=topic, partition=partition)) is None


def test_a_last_offset_of_thousands_of_digits_is_ignored() -> None:
    """A letter with such a header, which no worker writes, stands for its own offset."""
    parts = parts_of(_letter(lost="record", last_offset="9" * 5_000))
    assert parts is not None
    assert parts.last == 11


def test_a_cut_letter_has_the_digest_of_its_record() -> None:
    """A cut letter and a whole one of the same record have the same digest."""
    whole = _letter(value=b"a" * 100)
    cut = _letter(value=b"a" * 10, cut="value", value_sha256=hashlib.sha256(b"a" * 100).hexdigest())
    first, second = parts_of(whole), parts_of(cut)
    assert first is not None
    assert second is not None
    assert first.digest == second.digest == digest_of(whole)
    assert first.whole
    assert not second.whole


@pytest.mark.parametrize(
    ("value", "lost", "unsafe"),
    [(None, "headers", True), (b"{}", "headers", False), (None, "", False), (None, "record", False)],
)
def test_a_delete_that_lost_its_headers_is_not_safe_to_replay(value: bytes | None, lost: str, *, unsafe: bool) -> None:
    """A delete without its headers isn't replayed, because it would count as the final version."""
    parts = parts_of(_letter(value=value, lost=lost) if lost else _letter(value=value))
    assert parts is not None
    assert parts.unsafe is unsafe
