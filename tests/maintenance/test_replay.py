"""Dead letters are selected by their headers, and replayed as the records that they were."""

import pytest

from connectors.kafka.producer import Outgoing
from core.records import Headers, Origin, Record
from core.settings import Settings
from maintenance.replay import LetterFilter, original, replayable, summarise


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


def test_a_record_that_was_dead_lettered_twice_is_replayed_once() -> None:
    """The letters of one record have the same origin."""
    again, other = _letter(offset=9), _letter(offset=8, partition="3")
    assert replayable([_letter(), other, again], Settings()) == [again, other]


@pytest.mark.parametrize("topic", ["", "tickets.dlq", "no.such.topic"])
def test_a_letter_from_a_topic_that_no_worker_reads_is_not_replayed(topic: str) -> None:
    """No worker wrote it, or the topics have other names now."""
    assert replayable([_letter(topic=topic), _letter(topic="tickets.enriched")], Settings()) == [
        _letter(topic="tickets.enriched")
    ]


def test_a_replayed_record_is_the_original_with_its_first_seen_time() -> None:
    """Key, value and the producer's own headers are unchanged; other headers of the letter are dropped."""
    own = (("version", b"4"),)
    assert original(_letter(value=None, own=own)) == Outgoing(
        "tickets.raw", b"acme/1", None, (*own, ("dlq-first-seen-ms", b"1700000000123"))
    )
