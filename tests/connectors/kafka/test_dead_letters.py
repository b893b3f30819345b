"""Dead letters that fit their topic, and those that don't."""

import hashlib
import os
from collections.abc import Sequence
from typing import Any

import pytest

from connectors.kafka.dead_letters import DeadLetterTopic, parse_origin, written
from connectors.kafka.producer import Outgoing, open_sender
from connectors.kafka.reader import read_topic
from core.errors import RefusedError
from core.records import Damage, Headers, Origin, Record, Rejected
from core.settings import KafkaSettings
from tests.connectors.kafka.topics import new_topic
from tests.rigs.kafka import Kafka


def _rejected(
    value: bytes | None, *, key: bytes | None = b"acme/1", headers: Headers = (), offset: int = 17
) -> Rejected:
    record = Record(Origin("tickets.raw", 3, offset), key, value, 0, headers)
    return Rejected(record, "decode", "too_large", "the value is too long")


def _published(brokers: str, topic: str, *rejected: Rejected, compress: bool = True) -> list[Record]:
    kafka = KafkaSettings(brokers=brokers)
    sender = open_sender(kafka, compress=compress)
    DeadLetterTopic(sender, topic=topic, now_ms=lambda: 1234).publish(rejected)
    sender.close()
    return list(read_topic(kafka, topic, partitions=1))


def test_a_record_that_fits_only_when_compressed_is_kept_whole(apache_kafka: Kafka) -> None:
    """Nine megabytes of spaces, compressed, fit into a topic of 1 MiB."""
    topic = new_topic(apache_kafka.address)
    (letter,) = _published(apache_kafka.address, topic, _rejected(b" " * 9_000_000))
    assert letter.value == b" " * 9_000_000
    assert "dlq-cut" not in dict(letter.headers)


def test_a_letter_that_does_not_fit_is_cut_and_says_so(apache_kafka: Kafka) -> None:
    """A letter that is too large is replaced by its size and hash; others of its batch are written whole, once."""
    topic = new_topic(apache_kafka.address)
    value = os.urandom(3_000_000)
    small = [_rejected(b"{%d" % n, offset=n) for n in range(3)]
    letters = _published(apache_kafka.address, topic, *small, _rejected(value, headers=(("trace", b"1"), ("n", None))))
    assert len(letters) == 4
    assert {letter.value for letter in letters[:3]} <= {b"{0", b"{1", b"{2", value[: 64 * 1024]}
    (cut,) = (letter for letter in letters if dict(letter.headers).get("dlq-cut"))
    headers = dict(cut.headers)
    assert (cut.key, cut.value) == (b"acme/1", value[: 64 * 1024])
    assert (headers["dlq-cut"], headers["trace"], headers["n"]) == (b"value", b"1", None)
    assert headers["dlq-value-bytes"] == b"3000000"
    assert headers["dlq-value-sha256"] == hashlib.sha256(value).hexdigest().encode()
    assert (headers["dlq-topic"], headers["dlq-partition"], headers["dlq-offset"]) == (b"tickets.raw", b"3", b"17")


def test_a_letter_of_a_long_key_and_headers_loses_those_too(apache_kafka: Kafka) -> None:
    """If a cut letter is still too large, only the beginnings of key and headers, and the origin, are kept."""
    topic = new_topic(apache_kafka.address, max_message_bytes="20000")
    key, headers = os.urandom(300_000), (("h", os.urandom(300_000)),)
    (letter,) = _published(apache_kafka.address, topic, _rejected(os.urandom(300_000), key=key, headers=headers))
    found = dict(letter.headers)
    assert found["dlq-cut"] == b"value,key,headers"
    assert found["dlq-key-sha256"] == hashlib.sha256(key).hexdigest().encode()
    assert letter.key == key[:256]
    assert len(letter.value or b"") == 1024
    assert "h" not in found
    assert found["dlq-offset"] == b"17"


def test_letters_that_fit_alone_are_not_cut(apache_kafka: Kafka) -> None:
    """The client sends several as one batch, and the broker refuses the batch as a whole."""
    topic = new_topic(apache_kafka.address, max_message_bytes="100000")
    many = [_rejected(os.urandom(40_000), offset=n) for n in range(8)]
    letters = _published(apache_kafka.address, topic, *many, compress=False)
    assert {letter.value for letter in letters} == {item.record.value for item in many}
    assert not any("dlq-cut" in dict(letter.headers) for letter in letters)


def test_a_record_that_the_topic_forbids_is_refused_alone(apache_kafka: Kafka) -> None:
    """A time of the year 9999, or a missing key in a compacted topic, is refused; the rest of the batch is written."""
    kafka = KafkaSettings(brokers=apache_kafka.address)
    sender = open_sender(kafka)
    dated, keyless = new_topic(apache_kafka.address), new_topic(apache_kafka.address, cleanup_policy="compact")
    for wrong in (Outgoing(dated, b"2", b"{}", timestamp_ms=253_402_300_799_999), Outgoing(keyless, None, b"{}")):
        records = [Outgoing(wrong.topic, b"%d" % n, b"{}") for n in range(4)]
        records[2] = wrong
        refused = sender.offer(records)
        assert [(place, type(error)) for place, error in refused.items()] == [(2, RefusedError)]
        assert [one.key for one in read_topic(kafka, wrong.topic, partitions=1)] == [b"0", b"1", b"3"]
    sender.close()


def test_a_topic_that_takes_no_letter_is_an_error(apache_kafka: Kafka) -> None:
    """If no letter fits into the topic, the error says which option to raise."""
    topic = new_topic(apache_kafka.address, max_message_bytes="100")
    with pytest.raises(RefusedError, match=r"max\.message\.bytes"):
        _published(apache_kafka.address, topic, _rejected(b"{"))


@pytest.mark.parametrize("lost", ["headers", "record"])
def test_a_letter_says_what_the_client_could_not_read(tansu: str, lost: str) -> None:
    """A letter says that the headers were lost, or the batch and its last offset."""
    damage = Damage("record" if lost == "record" else "headers", "why", 20)
    record = Record(Origin("tickets.raw", 3, 17), None, None, 0, (), damage)
    (letter,) = _published(tansu, new_topic(tansu), Rejected(record, "decode", "unreadable", "why"))
    headers = dict(letter.headers)
    assert headers["dlq-lost"] == lost.encode()
    assert headers.get("dlq-last-offset") == (b"20" if lost == "record" else None)


def test_the_letter_of_a_record_with_many_headers_is_read(tansu: str) -> None:
    """A record may have 100 headers, and its letter tells its origin beside them."""
    headers = tuple((f"h-{n}", b"x") for n in range(100))
    (letter,) = _published(tansu, new_topic(tansu), _rejected(b"{", headers=headers))
    assert letter.headers[:100] == headers
    assert dict(letter.headers)["dlq-offset"] == b"17"


@pytest.mark.parametrize(("given", "kept"), [(b"tickets.raw[3]:5", True), (b"anything", False), (None, False)])
def test_the_first_origin_is_kept_over_replays(tansu: str, given: bytes | None, *, kept: bool) -> None:
    """A valid dlq-first-origin header is kept, and an invalid one is dropped."""
    (letter,) = _published(tansu, new_topic(tansu), _rejected(b"{", headers=(("dlq-first-origin", given),)))
    assert dict(letter.headers).get("dlq-first-origin") == (given if kept else None)


@pytest.mark.parametrize("given", [b"9" * 100_000, b"soon", None])
def test_a_first_seen_time_that_is_none_is_replaced(given: bytes | None) -> None:
    """Anybody may write the header: a long one would fit no letter, and stop the stream."""
    sent: list[Outgoing] = []

    class Sent:
        def offer(self, records: Sequence[Outgoing]) -> dict[int, RefusedError]:
            sent.extend(records)
            return {}

    topic: Any = Sent()
    rejected = [_rejected(b"{", headers=(("dlq-first-seen-ms", time),)) for time in (given, b"7")]
    DeadLetterTopic(topic, topic="tickets.dlq", now_ms=lambda: 1234).publish(rejected)
    assert [dict(letter.headers)["dlq-first-seen-ms"] for letter in sent] == [b"1234", b"7"]


def test_an_origin_is_read_as_it_is_written() -> None:
    """Only the exact form that is written is read as an origin."""
    origin = Origin("tickets.raw", 3, 17)
    assert parse_origin(written(origin)) == origin
    others = ["", "a[1]", "a[-1]:2", "a[1]:2 ", "[1]:2", "a[1]:" + "9" * 19]
    assert [parse_origin(text) for text in others] == [None] * len(others)
