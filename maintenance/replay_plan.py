"""Selects the dead letters of a replay, with the reasons for skipping the others.

A letter is identified by the origin of its record, and through replays by the first origin, which a replayed record has
in a header. A letter was replayed if a copy of its record with that header follows the record. So letters that are
still bad don't multiply: only the last of each record is sent.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, Protocol

from msgspec import Struct, structs

from connectors.kafka.admin import open_cluster
from connectors.kafka.dead_letters import FIRST_ORIGIN
from connectors.kafka.producer import Outgoing
from connectors.kafka.reader import ends_of, read_range, read_topic
from core.errors import RefusedError
from core.records import Origin, Record
from core.settings import Settings
from maintenance.replay import LetterFilter, Parts, digest_of, original, parts_of, read_letters

#: Position of a letter in the dead-letter topic.
At = tuple[int, int]
Skip = Literal["replayed", "superseded", "foreign", "gone", "unsafe", "too_large"]

#: Reasons for skipping letters, in words.
_SKIPS: Final[Mapping[Skip, str]] = {
    "replayed": "replayed before (--again sends them once more)",
    "superseded": "of records that have a later letter",
    "foreign": "of topics that no worker reads, or that are gone",
    "gone": "cut or lost, whose records have expired or still can't be read",
    "unsafe": "deletes that have lost the header with their version",
    "too_large": "too large for their topics (raise max.message.bytes, and replay again)",
}


class Offer(Protocol):
    """The part of `connectors.kafka.producer.Sender` that a replay needs."""

    def offer(self, records: Sequence[Outgoing]) -> Mapping[int, RefusedError]:
        """Durable on return, except the records that their topic refuses, by index."""
        ...


class _Letter(Struct, frozen=True):
    """A letter without its bytes."""

    at: At
    timestamp_ms: int
    parts: Parts

    @property
    def order(self) -> tuple[bool, int, int, int]:
        """Higher for later letters of a record, even if its topic was created again and has low offsets."""
        return self.parts.of_copy, self.parts.origin.offset, self.timestamp_ms, self.at[1]


class Plan(Struct, frozen=True):
    """Positions of the letters to send, and the number of those skipped, by reason."""

    chosen: frozenset[At]
    skipped: Counter[Skip]

    def told(self) -> str:
        """The skipped letters, in words; empty if there are none."""
        return "; ".join(f"{count:,} {_SKIPS[why]}" for why, count in sorted(self.skipped.items()) if count)


def plan_replay(settings: Settings, wanted: LetterFilter, *, again: bool = False) -> Plan:
    """Choose among the letters that `wanted` matches. `again` includes those that were replayed before.

    Reads the dead letters, and their records' topics from the first of their origins on.

    Raises:
        UnavailableError: no broker answers, or a topic is missing.
    """
    skipped: Counter[Skip] = Counter()
    letters, matching = [], set()
    read = {settings.topics.raw, settings.topics.enriched} & open_cluster(settings.kafka).topics().keys()
    for record in read_letters(settings, LetterFilter()):
        at, parts = (record.origin.partition, record.origin.offset), parts_of(record)
        if wanted.matches(record):
            matching.add(at)
        if parts is not None and parts.origin.topic in read:
            letters.append(_Letter(at, record.timestamp_ms, parts))
    ours = [letter for letter in letters if letter.at in matching]
    skipped["foreign"] = len(matching) - len(ours)
    candidates = [letter for letter in _latest(letters) if letter.at in matching]
    skipped["superseded"] = len(ours) - len(candidates)
    safe = [letter for letter in candidates if not letter.parts.unsafe]
    skipped["unsafe"] = len(candidates) - len(safe)
    replayed = set() if again else _replayed(settings, safe)
    skipped["replayed"] = len(replayed)
    return Plan(frozenset(letter.at for letter in safe if letter.at not in replayed), skipped)


def records_to_send(settings: Settings, plan: Plan) -> Iterator[Outgoing]:
    """The records of the chosen letters, read one by one. Those that no longer exist are counted."""
    counts = open_cluster(settings.kafka).topics()
    for letter in read_letters(settings, LetterFilter()):
        parts = parts_of(letter)
        if parts is None or (letter.origin.partition, letter.origin.offset) not in plan.chosen:
            continue
        records = [letter] if parts.whole else records_at_origin(settings, parts)
        plan.skipped["gone"] += not records
        for record in records:
            sent = original(letter, record, parts)
            known = parts.origin.partition < counts.get(sent.topic, 0)
            yield sent if known else structs.replace(sent, partition=None)


def send_accepted(sender: Offer, plan: Plan, records: Sequence[Outgoing]) -> None:
    """Send records durably. Those that are too large for their topic are counted, so that they don't stop the others.

    Raises:
        TransientError: the broker did not accept all others.
        FatalError: the broker refuses, or a topic is missing.
    """
    plan.skipped["too_large"] += len(sender.offer(records))


def records_at_origin(settings: Settings, parts: Parts) -> list[Record]:
    """The records that a cut or lost letter stands for, if they still exist at their origin.

    A delete that has lost the header with its version is left out: without it, the delete would be final.
    """
    counts = open_cluster(settings.kafka).topics()
    if parts.origin.partition >= counts.get(parts.origin.topic, 0):  # a recreated topic may have fewer
        return []
    lost = parts.lost == "record"
    found = read_range(settings.kafka, parts.origin, last=parts.last if lost else parts.origin.offset)
    sound = [one for one in found if one.damage is None or (one.damage.lost == "headers" and one.value is not None)]
    return sound if lost else [record for record in sound if digest_of(record) == parts.digest]


def _latest(letters: Iterable[_Letter]) -> Collection[_Letter]:
    """The last letter of each record. A first origin, which anybody may write, needs the same key and value."""
    latest: dict[tuple[str, str | None], _Letter] = {}
    for letter in letters:
        record = (letter.parts.first_origin, letter.parts.digest)
        if record not in latest or latest[record].order <= letter.order:
            latest[record] = letter
    return latest.values()


def _replayed(settings: Settings, letters: Iterable[_Letter]) -> set[At]:
    """The letters whose record is followed by a copy of it."""
    by_topic: defaultdict[str, list[_Letter]] = defaultdict(list)
    sought: defaultdict[tuple[str, str], list[_Letter]] = defaultdict(list)
    for letter in letters:
        by_topic[letter.parts.origin.topic].append(letter)
        sought[letter.parts.origin.topic, letter.parts.first_origin].append(letter)
    counts = open_cluster(settings.kafka).require_topics(list(by_topic))
    found: set[At] = set()
    for topic, own in by_topic.items():
        begin = _starts(own, ends_of(settings.kafka, topic, range(counts[topic])))
        for record in read_topic(settings.kafka, topic, partitions=counts[topic], start=begin, only=begin):
            first = dict(record.headers).get(FIRST_ORIGIN)
            for letter in sought.get((topic, first.decode(errors="replace")), ()) if first else ():
                # a copy of an original may be anywhere, as in a topic created again; only copies have a first origin
                behind = not letter.parts.of_copy or _lies_behind(record.origin, letter.parts.origin)
                if behind and _is_copy(record, letter.parts):
                    found.add(letter.at)
    return found


def _starts(letters: Sequence[_Letter], ends: Mapping[int, int]) -> dict[int, int]:
    """The offsets from which to search for copies, by partition: those behind the letters' origins.

    A topic that ends before an origin was created again, so it may have the copies anywhere.
    """
    starts: dict[int, int] = {}
    for letter in letters:
        number, offset = letter.parts.origin.partition, letter.parts.origin.offset
        if number not in ends:
            return dict.fromkeys(ends, 0)
        first = offset + 1 if offset < ends[number] else 0
        starts[number] = min(first, starts.get(number, first))
    return {number: min(start, ends[number]) for number, start in starts.items()}


def _is_copy(record: Record, parts: Parts) -> bool:
    return parts.digest is None or digest_of(record) == parts.digest


def _lies_behind(copy: Origin, origin: Origin) -> bool:
    return copy.partition == origin.partition and copy.offset > origin.offset
