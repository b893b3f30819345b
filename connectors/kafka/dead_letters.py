"""The dead-letter topic: the original key, value and headers, with headers for stage, code, reason and origin.

The value is kept as it was, so that a replay is exact. The topic therefore holds raw ticket text and needs the same
protection as the topic that the record came from.

A letter that is too large for the topic is written with its value cut, and as a last resort with key and headers cut
too. Its headers say so, with size and SHA-256 of each part; the record itself is still at its origin.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from connectors.kafka.producer import Outgoing, Sender
from core.raw_records import Headers, Origin, Record, Rejected

HEADER_PREFIX: Final = "dlq-"
#: Kept over replays, so that a record that is rejected again shows when it was first rejected.
FIRST_SEEN: Final = "dlq-first-seen-ms"
#: The first origin of a replayed record. Kept through replays, so that all letters of a record are recognised.
FIRST_ORIGIN: Final = "dlq-first-origin"
#: The parts that were cut, separated by commas: value, key, headers.
CUT: Final = "dlq-cut"
#: The part that the client could not read: the headers, or the record.
LOST: Final = "dlq-lost"
#: The last offset of a batch that couldn't be read and has one letter.
LAST_OFFSET: Final = "dlq-last-offset"

#: Milliseconds since 1970.
_FIRST_SEEN: Final = re.compile(rb"[0-9]{1,14}")
_ORIGIN: Final = re.compile(r"([A-Za-z0-9._-]{1,249})\[([0-9]{1,9})\]:([0-9]{1,18})")


class _Limits(Struct, frozen=True):
    """Bytes of value and key that are kept, or None for all, and whether the producer's headers are."""

    value: int | None = None
    key: int | None = None
    headers: bool = True


#: A letter is written within the first of these limits that the topic accepts. The last takes less than 4 kB.
_WAYS: Final = (_Limits(), _Limits(value=64 * 1024), _Limits(value=1024, key=256, headers=False))


class DeadLetterTopic:
    """Implements `core.protocols.DeadLetters` on a Kafka topic."""

    def __init__(self, sender: Sender, *, topic: str, now_ms: Callable[[], int]) -> None:
        self._sender = sender
        self._topic = topic
        self._now_ms = now_ms

    def publish(self, rejected: Sequence[Rejected]) -> None:
        """Durable on return.

        Raises:
            TransientError: the broker did not accept all; some may be written.
            FatalError: the broker refuses, or the topic is missing or takes no letter at all.
        """
        left = list(rejected)
        for limits in _WAYS:
            refused = self._sender.offer([self._letter(item, limits) for item in left])
            if not refused:
                return
            left = [left[place] for place in refused]
        raise next(iter(refused.values()))

    def _letter(self, rejected: Rejected, limits: _Limits) -> Outgoing:
        record = rejected.record
        given = dict(record.headers).get(FIRST_SEEN) or b""
        # anybody may write the header, and one of megabytes would fit no letter
        first_seen = given if _FIRST_SEEN.fullmatch(given) else str(self._now_ms()).encode()
        about: Headers = (
            ("dlq-stage", rejected.stage.encode()),
            ("dlq-code", rejected.code.encode()),
            ("dlq-reason", rejected.reason.encode()),
            ("dlq-topic", record.origin.topic.encode()),
            ("dlq-partition", str(record.origin.partition).encode()),
            ("dlq-offset", str(record.origin.offset).encode()),
            (FIRST_SEEN, first_seen),
            *_first_origin(record),
            *_damage(record),
            *_cuts(record, limits),
        )
        kept = tuple(pair for pair in record.headers if not pair[0].startswith(HEADER_PREFIX))
        value, key = _cut(record.value, limits.value), _cut(record.key, limits.key)
        return Outgoing(self._topic, key, value, (kept if limits.headers else ()) + about)


def written(origin: Origin) -> str:
    """A position in the form of letters and lists: TOPIC[PARTITION]:OFFSET."""
    return f"{origin.topic}[{origin.partition}]:{origin.offset}"


def parse_origin(text: str) -> Origin | None:
    """The position that `text` states; None if it is malformed."""
    match = _ORIGIN.fullmatch(text)
    return None if match is None else Origin(match[1], int(match[2]), int(match[3]))


def _first_origin(record: Record) -> Iterator[tuple[str, bytes]]:
    given = dict(record.headers).get(FIRST_ORIGIN)
    if given is not None and parse_origin(given.decode(errors="replace")) is not None:
        yield FIRST_ORIGIN, given


def _damage(record: Record) -> Iterator[tuple[str, bytes]]:
    if record.damage is not None:
        yield LOST, record.damage.lost.encode()
        if record.damage.lost == "record":
            yield LAST_OFFSET, str(record.damage.last).encode()


def _cuts(record: Record, limits: _Limits) -> Iterator[tuple[str, bytes]]:
    parts = {"value": (record.value or b"", limits.value), "key": (record.key or b"", limits.key)}
    cut = {name: whole for name, (whole, limit) in parts.items() if limit is not None and len(whole) > limit}
    names = [*cut, *(["headers"] if record.headers and not limits.headers else [])]
    if names:
        yield CUT, ",".join(names).encode()
    for name, whole in cut.items():
        yield f"dlq-{name}-bytes", str(len(whole)).encode()
        yield f"dlq-{name}-sha256", hashlib.sha256(whole).hexdigest().encode()


def _cut(part: bytes | None, limit: int | None) -> bytes | None:
    return part if part is None or limit is None else part[:limit]
