"""Selects and summarises dead letters, and restores their records."""

import hashlib
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from connectors.kafka.admin import open_cluster
from connectors.kafka.dead_letters import FIRST_ORIGIN, FIRST_SEEN, HEADER_PREFIX, parse_origin, written
from connectors.kafka.producer import Outgoing
from connectors.kafka.reader import read_one, read_topic
from core.records import Origin, Record
from core.settings import Settings

#: Maximum digits of a timestamp in milliseconds, which then is before the year 5138, and of an offset.
_MAX_MS_DIGITS: Final = 14
_MAX_OFFSET_DIGITS: Final = 18
#: Maximum characters of a field of a summary. A ticket's key has at most 193.
_MAX_SHOWN: Final = 500


class LetterFilter(Struct, frozen=True):
    """Conditions on a dead letter; None matches all. Times are the dead letters', not the original records'."""

    stage: str | None = None
    code: str | None = None
    ticket: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def matches(self, letter: Record) -> bool:
        """Whether `letter` meets every condition."""
        return (
            self.stage in {None, _header(letter, "stage")}
            and self.code in {None, _header(letter, "code")}
            and self.ticket in {None, text_of(letter.key)}
            and (self.since_ms is None or letter.timestamp_ms >= self.since_ms)
            and (self.until_ms is None or letter.timestamp_ms < self.until_ms)
        )


class LetterSummary(Struct, frozen=True):
    """A dead letter without its text.

    Attributes:
        at: PARTITION:OFFSET in the dead-letter topic.
        origin: TOPIC[PARTITION]:OFFSET that the record was read from.
        first_origin: the origin of the record's first copy; its own if it wasn't replayed.
        bytes: size of the value in the letter.
        cut: the parts that the letter lacks.
    """

    at: str
    stage: str
    code: str
    reason: str
    origin: str
    first_seen_ms: int
    key: str | None
    bytes: int
    first_origin: str = ""
    cut: str = ""


def read_letters(settings: Settings, wanted: LetterFilter) -> Iterator[Record]:
    """The dead letters that match, partitions interleaved.

    Raises:
        UnavailableError: no broker answers, or the topic is missing.
    """
    topic = settings.topics.dlq
    partitions = open_cluster(settings.kafka).require_topics([topic])[topic]
    return filter(wanted.matches, read_topic(settings.kafka, topic, partitions=partitions))


def read_letter(settings: Settings, partition: int, offset: int) -> Record | None:
    """The dead letter at this position, or None.

    Raises:
        UnavailableError: no broker answers, or the topic is missing.
    """
    topic = settings.topics.dlq
    if partition >= open_cluster(settings.kafka).require_topics([topic])[topic]:
        return None
    return read_one(settings.kafka, Origin(topic, partition, offset))


def summarise(letter: Record) -> LetterSummary:
    """The summary of `letter` from its headers."""
    return LetterSummary(
        at=f"{letter.origin.partition}:{letter.origin.offset}",
        stage=_short(_header(letter, "stage")),
        code=_short(_header(letter, "code")),
        reason=_short(_header(letter, "reason")),
        origin=_short(_origin(letter)),
        first_seen_ms=_first_seen_ms(letter),
        key=None if letter.key is None else _short(text_of(letter.key)),
        bytes=len(letter.value or b""),
        first_origin=_short(_header(letter, "first-origin") or _origin(letter)),
        cut=_short(_header(letter, "cut")),
    )


class Parts(Struct, frozen=True):
    """A letter's description of its record.

    Attributes:
        origin: position of the record.
        first_origin: position of its first copy, if it was replayed.
        of_copy: whether the record is a replayed copy.
        digest: of its whole key and value, though the letter may hold less; None if the record is lost.
        cut: the parts that the letter lacks.
        lost: the part that the client couldn't read.
        last: a lost record stands for all records up to this offset.
        null: the value is null.
    """

    origin: Origin
    first_origin: str
    of_copy: bool
    digest: str | None
    cut: frozenset[str]
    lost: str
    last: int
    null: bool

    @property
    def whole(self) -> bool:
        """Whether the letter holds everything of its record that the client could read."""
        return not self.cut and self.lost != "record"

    @property
    def unsafe(self) -> bool:
        """Whether a replay would delete a ticket for ever: a delete without its header has the highest version."""
        return self.null and self.lost == "headers"


def parts_of(letter: Record) -> Parts | None:
    """The description in `letter` of its record; None if it has no origin."""
    origin = parse_origin(_origin(letter))
    if origin is None:
        return None
    last, lost = _header(letter, "last-offset"), _header(letter, "lost")
    first = _header(letter, "first-origin")
    of_copy = parse_origin(first) is not None
    return Parts(
        origin=origin,
        first_origin=first if of_copy else written(origin),
        of_copy=of_copy,
        digest=None if lost == "record" else _digest(letter),
        cut=frozenset(filter(None, _header(letter, "cut").split(","))),
        lost=lost,
        last=int(last) if _is_number(last, _MAX_OFFSET_DIGITS) else origin.offset,
        null=letter.value is None,
    )


def digest_of(record: Record) -> str:
    """Digest of key and value."""
    return f"{_sha256(record.key)} {_sha256(record.value)}"


def original(letter: Record, record: Record, parts: Parts) -> Outgoing:
    """`record` for its original topic and partition, with the time and origin of its first dead letter.

    `record` is the letter itself, or the record at its origin, which keeps its time: that may be a delete's version.
    """
    own = tuple(pair for pair in record.headers if not pair[0].startswith(HEADER_PREFIX))
    first = parts.first_origin if parts.lost != "record" else written(record.origin)
    seen = str(_first_seen_ms(letter)).encode()
    headers = (*own, (FIRST_SEEN, seen), (FIRST_ORIGIN, first.encode()))
    time_ms = 0 if record is letter else max(0, record.timestamp_ms)
    return Outgoing(parts.origin.topic, record.key, record.value, headers, parts.origin.partition, time_ms)


def _short(text: str) -> str:
    """The beginning of `text`. Anyone may write keys and headers of a megabyte, and a list holds all letters."""
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def text_of(value: bytes | None) -> str:
    """`value` as text; bytes that are not UTF-8 become U+FFFD."""
    return "" if value is None else value.decode(errors="replace")


def _origin(letter: Record) -> str:
    return f"{_header(letter, 'topic')}[{_header(letter, 'partition')}]:{_header(letter, 'offset')}"


def _first_seen_ms(letter: Record) -> int:
    """The time in the header, or the letter's own timestamp if the header is missing or malformed."""
    seen = _header(letter, FIRST_SEEN.removeprefix(HEADER_PREFIX))
    if _is_number(seen, _MAX_MS_DIGITS):
        return int(seen)
    return min(max(letter.timestamp_ms, 0), 10**_MAX_MS_DIGITS - 1)  # a producer may write any number


def _is_number(text: str, digits: int) -> bool:
    """Whether `text` is a number of bounded length: a header may hold thousands of digits, which Python refuses."""
    return text.isdecimal() and text.isascii() and len(text) <= digits


def _digest(letter: Record) -> str:
    """The digest of the whole record; a cut letter has the hashes of its parts."""
    key, value = _header(letter, "key-sha256"), _header(letter, "value-sha256")
    return f"{key or _sha256(letter.key)} {value or _sha256(letter.value)}"


def _sha256(part: bytes | None) -> str:
    return "null" if part is None else hashlib.sha256(part).hexdigest()


def _header(letter: Record, name: str) -> str:
    return text_of(dict(letter.headers).get(HEADER_PREFIX + name))
