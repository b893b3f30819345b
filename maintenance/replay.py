"""Selects dead letters, and sends them back to the topics that they came from."""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from connectors.kafka.admin import open_cluster
from connectors.kafka.dead_letters import FIRST_SEEN, HEADER_PREFIX
from connectors.kafka.producer import Outgoing
from connectors.kafka.reader import read_one, read_topic
from core.records import Origin, Record
from core.settings import Settings

#: Maximum digits of a timestamp in milliseconds, which then is before the year 5138.
_MAX_MS_DIGITS: Final = 14


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
        bytes: size of the value.
    """

    at: str
    stage: str
    code: str
    reason: str
    origin: str
    first_seen_ms: int
    key: str | None
    bytes: int


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
    open_cluster(settings.kafka).require_topics([settings.topics.dlq])
    return read_one(settings.kafka, Origin(settings.topics.dlq, partition, offset))


def summarise(letter: Record) -> LetterSummary:
    """What the headers of `letter` say about it."""
    return LetterSummary(
        at=f"{letter.origin.partition}:{letter.origin.offset}",
        stage=_header(letter, "stage"),
        code=_header(letter, "code"),
        reason=_header(letter, "reason"),
        origin=_origin(letter),
        first_seen_ms=_first_seen_ms(letter),
        key=None if letter.key is None else text_of(letter.key),
        bytes=len(letter.value or b""),
    )


def replayable(letters: Iterable[Record], settings: Settings) -> list[Record]:
    """The letters to send back: one per original record, and only if a worker reads its topic."""
    topics = {settings.topics.raw, settings.topics.enriched}
    return list({_origin(letter): letter for letter in letters if _header(letter, "topic") in topics}.values())


def original(letter: Record) -> Outgoing:
    """The record as it was read, bound for its topic, with the time at which it was first dead-lettered."""
    kept = tuple(pair for pair in letter.headers if pair[0] == FIRST_SEEN or not pair[0].startswith(HEADER_PREFIX))
    return Outgoing(_header(letter, "topic"), letter.key, letter.value, kept)


def text_of(value: bytes | None) -> str:
    """`value` as text; bytes that are not UTF-8 become U+FFFD."""
    return "" if value is None else value.decode(errors="replace")


def _origin(letter: Record) -> str:
    return f"{_header(letter, 'topic')}[{_header(letter, 'partition')}]:{_header(letter, 'offset')}"


def _first_seen_ms(letter: Record) -> int:
    """The time in the header, or the letter's own timestamp if the header is missing or malformed."""
    seen = _header(letter, FIRST_SEEN.removeprefix(HEADER_PREFIX))
    return int(seen) if seen.isdecimal() and seen.isascii() and len(seen) <= _MAX_MS_DIGITS else letter.timestamp_ms


def _header(letter: Record, name: str) -> str:
    return text_of(dict(letter.headers).get(HEADER_PREFIX + name))
