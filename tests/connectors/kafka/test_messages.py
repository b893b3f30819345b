"""Reading a message never raises, whatever the client returns."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError

from connectors.kafka.messages import Reached, Unreadable, item_of, record_of
from connectors.kafka.reader import read_one, read_topic
from core.records import Damage, Origin, Record
from core.settings import ContractSettings, KafkaSettings
from operators.decode import decode
from tests.connectors.kafka.topics import new_topic
from tests.rigs.kafka.wire import batch, produce, record

Headers = list[tuple[str, bytes | None]]


class _Message:
    """A message of librdkafka, or an error instead."""

    def __init__(
        self, *, headers: Callable[[], Any] = lambda: None, error: int | None = None, offset: int | None = 7
    ) -> None:
        self._headers = headers
        self._error = None if error is None else KafkaError(error, "why")
        self._offset = offset

    def error(self) -> KafkaError | None:
        return self._error

    def topic(self) -> str:
        return "raw"

    def partition(self) -> int:
        return 2

    def offset(self) -> int | None:
        return self._offset

    def key(self) -> bytes:
        return b"acme/1"

    def value(self) -> bytes:
        return b"{}"

    def timestamp(self) -> tuple[int, int]:
        return 1, -5

    def headers(self) -> Any:
        return self._headers()


def _read(**given: Any) -> Record:
    message: Any = _Message(**given)
    return record_of(message)


def _raise(error: Exception) -> Callable[[], None]:
    def headers() -> None:
        raise error

    return headers


@pytest.mark.parametrize(
    "error", [SystemError("<method 'headers'> returned a result with an exception set"), ValueError()]
)
def test_headers_that_raise_are_left_out(error: Exception) -> None:
    """If reading the headers raises, key, value, position and time are kept, and the damage names the headers."""
    found = _read(headers=_raise(error))
    assert (found.origin, found.key, found.value, found.timestamp_ms) == (Origin("raw", 2, 7), b"acme/1", b"{}", -5)
    assert found.headers == ()
    assert found.damage == Damage("headers", "its headers can't be read: a name is not UTF-8", 7)


def test_a_null_header_stays_null() -> None:
    """A null header value stays None, and an empty one stays empty."""
    given: Headers = [("a", None), ("b", b""), ("a", b"\xff")]
    found = _read(headers=lambda: given)
    assert found.headers == tuple(given)
    assert found.damage is None
    assert found.size == len(b"acme/1{}abab") - 1 + len(b"\xff")


def test_too_many_headers_are_left_out() -> None:
    """More than 100 headers are left out, because each costs memory beyond its bytes."""
    assert len(_read(headers=lambda: [("a", b"")] * 100).headers) == 100
    found = _read(headers=lambda: [("a", b"")] * 101)
    assert found.headers == ()
    assert found.damage == Damage("headers", "it has 101 headers, more than the 100 that are read", 7)


def test_the_headers_of_a_letter_count_by_themselves() -> None:
    """The letter of a record with 100 headers has more, without which nobody knows what it is the letter of."""
    given: Headers = [*([("a", b"")] * 100), *((f"dlq-{n}", b"") for n in range(20))]
    assert _read(headers=lambda: given).headers == tuple(given)
    assert _read(headers=lambda: [*given, ("dlq-more", b"")]).headers == ()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (KafkaError._PARTITION_EOF, Reached),
        (KafkaError._BAD_MSG, Unreadable),
        (KafkaError._BAD_COMPRESSION, Unreadable),
        (KafkaError._NOT_IMPLEMENTED, Unreadable),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError),
        (KafkaError._MAX_POLL_EXCEEDED, KafkaError),
    ],
)
def test_an_error_in_place_of_a_message_says_what_it_is(code: int, kind: type) -> None:
    """An error message becomes the end of a partition, an unreadable batch, or an error of the client or the broker."""
    message: Any = _Message(error=code)
    assert type(item_of(message)) is kind
    nowhere: Any = _Message(error=code, offset=None)
    assert type(item_of(nowhere)) is KafkaError


def test_records_of_any_header_and_time_are_read(kafka: str) -> None:
    """Records with non-UTF-8 names, null values, empty or thousands of headers, or times before 1970 are read."""
    topic = new_topic(kafka)
    event = b'{"op":"delete","tenant_id":"acme","ticket_id":"1","version":1}'
    odd: list[list[tuple[bytes, bytes | None]]] = [
        [(b"caf\xe9", b"x")],
        [(b"", b"")],
        [(b"n", None)],
        [(b"h", b"v")] * 5_000,
    ]
    made = [record(n, b"acme/1", event, headers) for n, headers in enumerate(odd)]
    produce(kafka, topic, 0, batch(made))
    produce(kafka, topic, 0, batch([record(0, b"acme/1", event)], timestamp_ms=-5))
    produce(kafka, topic, 0, batch([record(0, b"acme/1", None, [(b"version", b"2"), (b"\xff", b"")])]))
    settings = KafkaSettings(brokers=kafka)
    found = list(read_topic(settings, topic, partitions=1))
    assert [item.origin.offset for item in found] == list(range(6))
    assert [item.damage and item.damage.lost for item in found] == ["headers", None, None, "headers", None, "headers"]
    results = decode(found, settings=ContractSettings())
    codes = [getattr(result, "code", "") for result in results]
    assert codes == ["", "", "", "", "", "unreadable"], "a delete may have lost its version; an event needs no header"
    assert read_one(settings, Origin(topic, 0, 0)) == found[0]


def test_many_names_that_are_not_utf8_are_as_safe_as_one(tansu: str) -> None:
    """CPython specialises a method call after a few calls, and the specialised call crashed on the client's result."""
    topic = new_topic(tansu)
    for _ in range(4):
        produce(tansu, topic, 0, batch([record(n, b"acme/1", b"{}", [(b"caf\xe9", b"x")]) for n in range(250)]))
    found = list(read_topic(KafkaSettings(brokers=tansu), topic, partitions=1))
    assert len(found) == 1_000
    assert all(item.damage is not None and item.headers == () for item in found)
