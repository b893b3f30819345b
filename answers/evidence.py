"""The passages that an answer may cite, and their choice from the threads of solved tickets.

Customers' words find tickets but aren't evidence; neither are internal notes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from math import exp, log
from typing import Final

import msgspec
from msgspec import Struct

from answers.agreement import agree, contradict, denies, is_certain, is_correction
from answers.parsed import Reading
from answers.reading import read
from answers.sentences import spans_of, statements
from core.index import Thread, ThreadPassage
from core.payload import PayloadValue

#: Maximum sources of an answer, and maximum characters of one.
MAX_SOURCES: Final = 10
_MAX_TEXT: Final = 6_000
#: The maximum number of tickets that are shown instead of an answer.
_NEAREST: Final = 3
#: Maximum messages of one ticket.
_OF_TICKET: Final = 2
#: Maximum sentences of a message that are compared with those of another.
_COMPARED: Final = 20
#: A newer resolution with less than this share of an older one's score replaces it only if they are very similar.
_COMPARABLE: Final = 0.75
#: Half-life of the factor: a ticket that was solved this long before the newest loses half of it.
_HALF_LIFE_MS: Final = 180 * 86_400_000
_RECENT: Final = 0.04
#: Added to the factor for each other ticket that was solved in the same way, up to a maximum number.
_CONFIRMED: Final = 0.05
_MOST_CONFIRMED: Final = 2
#: Added to the factor for a ticket in the language of the question.
_LANGUAGE: Final = 0.08


class Source(Struct, frozen=True, kw_only=True):
    """A message of a solved ticket, or a passage of one, written by an agent and public.

    Attributes:
        chunk: the first of its passages in the index.
        message: index of its message in the ticket's thread.
        message_at: when the message was sent, in milliseconds since 1970, if known.
        start: first character of the text in the message's cleaned text, if known; `end` is the one after its last.
        resolution: the message solved the ticket.
        score: of the ticket, by which the sources are ranked.
        language: ISO 639-1 code of the ticket's language, if known.
        reasons: why it ranks above others with a similar score, in words.
    """

    tenant_id: str
    ticket_id: str
    version: int
    subject: str
    chunk: int
    message: int
    text: str
    score: float
    message_at: int | None = None
    start: int | None = None
    end: int | None = None
    resolution: bool = False
    language: str | None = None
    reasons: tuple[str, ...] = ()


class Evidence(Struct, frozen=True, kw_only=True):
    """The evidence for a question.

    Attributes:
        sources: best first. Number n of an answer is `sources[n - 1]`.
        confidence: calibrated probability that the first source is about the question, 0 to 1.
        model: stamp of the embedding model that found them.
        nothing: the search says that it found nothing, so that even the nearest tickets are of no help.
    """

    sources: tuple[Source, ...]
    confidence: float
    model: str
    nothing: bool = False

    @property
    def nearest(self) -> tuple[int, ...]:
        """The number of the first source of each of the nearest tickets; empty if the search found nothing."""
        first: dict[str, int] = {}
        for number, source in enumerate(self.sources, 1):
            first.setdefault(source.ticket_id, number)
        return () if self.nothing else tuple(first.values())[:_NEAREST]

    @property
    def best(self) -> frozenset[int]:
        """Numbers of the sources of which an answer must cite one: the first ticket's, and those that agree."""
        if not self.sources:
            return frozenset()
        first = self.sources[0]
        return frozenset(
            number
            for number, source in enumerate(self.sources, 1)
            if source.ticket_id == first.ticket_id or agree(_reading(source), _reading(first))
        )


class Found(Struct, frozen=True, eq=False):
    """A ticket that a search found.

    Attributes:
        score: its rank's score.
        exact: identifiers and quoted phrases of the question that it holds.
    """

    score: float
    thread: Thread
    exact: tuple[str, ...] = ()


def gather(
    found: Iterable[Found],
    *,
    tenant_id: str,
    confidence: float,
    model: str,
    nothing: bool = False,
    language: str | None = None,
    limit: int = MAX_SOURCES,
) -> Evidence:
    """The evidence in the tenant's solved tickets among `found`, best first.

    From each ticket it takes the message that solved it (or, if that only thanks, the last with content), and an
    agent's message right before it. Of contradictory resolutions of one problem only the newest counts. `language` is
    the question's, if it is known: similar tickets in it rank a little higher.
    """
    own = [one for one in found if one.thread.tenant_id == tenant_id and _is_solved(one.thread)]
    by_ticket = {one.thread.ticket_id: sources for one in own if (sources := _sources_of(one))}
    exact = {one.thread.ticket_id: frozenset(one.exact) for one in own}
    firsts = {ticket_id: sources[0] for ticket_id, sources in by_ticket.items()}
    replaced = {
        ticket_id: newer
        for ticket_id, first in firsts.items()
        if (newer := _replacement(first, [one for one in firsts.values() if exact[ticket_id] <= exact[one.ticket_id]]))
    }
    worth = {ticket_id: _worth(first, firsts.values(), language) for ticket_id, first in firsts.items()}
    for ticket_id, newer in replaced.items():  # it gets the score of the resolution that it replaces
        worth[newer.ticket_id] = max(worth[newer.ticket_id], worth[ticket_id])
    ranked = sorted(by_ticket.keys() - replaced.keys(), key=lambda ticket_id: (-worth[ticket_id], ticket_id))
    chosen = tuple(source for ticket_id in ranked for source in by_ticket[ticket_id])[:limit]
    told = {ticket_id: _reasons(firsts[ticket_id], firsts.values(), language) for ticket_id in ranked}
    return Evidence(
        sources=tuple(msgspec.structs.replace(source, reasons=told[source.ticket_id]) for source in chosen),
        confidence=confidence if chosen else 0.0,
        model=model,
        nothing=nothing or not chosen,
    )


def _is_solved(thread: Thread) -> bool:
    return bool(thread.passages) and all(passage.payload.get("solved") == "yes" for passage in thread.passages)


def _sources_of(found: Found) -> list[Source]:
    """The evidence of one ticket, the message that solved it first."""
    thread = found.thread
    customer_at = [_number(p.payload.get("message"), -1) for p in thread.passages if p.payload.get("role") != "agent"]
    messages: dict[int, list[ThreadPassage]] = defaultdict(list)
    for passage in thread.passages:
        payload = passage.payload
        if payload.get("role") == "agent" and payload.get("visibility") == "public":
            messages[_number(payload.get("message"), -1)].append(passage)
    # messages before the solution belong to it; later ones may be about something else
    marked = [number for number, own in messages.items() if any(p.payload.get("resolution") is True for p in own)]
    chosen: list[Source] = []
    for number in sorted((n for n in messages if not marked or n <= marked[0]), reverse=True):
        if chosen and any(number < other < chosen[-1].message for other in customer_at):
            break
        sources = [source for source in _merged(found, messages[number]) if statements(source.text)]
        if any(_withdraws(later, earlier) for later in chosen for earlier in sources):
            break
        chosen += sources
        if len({source.message for source in chosen}) == _OF_TICKET:
            break
    return chosen


def _withdraws(later: Source, earlier: Source) -> bool:
    """Whether a message takes back an earlier one of its ticket, which then doesn't count as evidence."""
    if is_correction(later.text):
        return True
    if not any(clause.negations for clause in _reading(later).clauses):
        return False
    return any(denies(one, other) for one in _sentences(later) for other in _sentences(earlier))


def _sentences(source: Source) -> list[Reading]:
    spans = spans_of(source.text)[:_COMPARED]
    return [read(source.text[start:end], source.language) for start, end in spans]


def _merged(found: Found, passages: Sequence[ThreadPassage]) -> Iterator[Source]:
    """The message's passages, joined if they overlap or touch, otherwise one source each."""
    pieces = [_source(found, passage) for passage in sorted(passages, key=lambda passage: passage.chunk)]
    while pieces:
        whole = pieces.pop(0)
        while pieces and (longer := _joined(whole, pieces[0])) is not None:
            whole = longer
            pieces.pop(0)
        yield whole


def _joined(one: Source, other: Source) -> Source | None:
    """Both as one text, if the second begins inside the first or right after it."""
    if one.start is None or one.end is None or other.start is None or other.end is None:
        return None
    if not one.start <= other.start <= one.end or other.end - one.start > _MAX_TEXT:
        return None
    text = one.text + other.text[one.end - other.start :] if other.end > one.end else one.text
    resolution = one.resolution or other.resolution
    return msgspec.structs.replace(one, text=text, end=max(one.end, other.end), resolution=resolution)


def _source(found: Found, passage: ThreadPassage) -> Source:
    thread, payload = found.thread, passage.payload
    start, end = payload.get("start"), payload.get("end")
    located = isinstance(start, int) and isinstance(end, int) and end - start == len(passage.passage)
    return Source(
        tenant_id=thread.tenant_id,
        ticket_id=thread.ticket_id,
        version=thread.version,
        subject=_text(payload.get("subject")) or "",
        chunk=passage.chunk,
        message=_number(payload.get("message"), -1),
        text=passage.passage[:_MAX_TEXT],
        score=found.score,
        message_at=None if (at := _number(payload.get("message_at"), 0)) == 0 else at,
        start=_number(start, 0) if located else None,
        end=_number(end, 0) if located else None,
        resolution=payload.get("resolution") is True,
        language=_text(payload.get("language")),
    )


def _worth(source: Source, others: Collection[Source], language: str | None) -> float:
    """The score with bounded factors for recent resolutions, for ones that others confirm, and for the language."""
    age = (max(map(_sent_at, others)) - _sent_at(source)) / _HALF_LIFE_MS
    confirmed = _CONFIRMED * min(_confirmed(source, others), _MOST_CONFIRMED)
    return source.score * (1 + _RECENT * exp(-log(2) * age) + confirmed + _LANGUAGE * _is_in(language, source))


def _reasons(source: Source, others: Collection[Source], language: str | None) -> tuple[str, ...]:
    """Why the source's ticket ranks higher, in words."""
    found = []
    if _is_in(language, source) and any(other.language != source.language for other in others):
        found.append("in the language of the question")
    if same := _confirmed(source, others):
        found.append(f"{same} other {'ticket was' if same == 1 else 'tickets were'} solved in the same way")
    return tuple(found)


def _confirmed(source: Source, others: Iterable[Source]) -> int:
    """Number of other tickets that were solved in the same way."""
    return sum(other.ticket_id != source.ticket_id and agree(_reading(other), _reading(source)) for other in others)


def _is_in(language: str | None, source: Source) -> bool:
    return language is not None and source.language == language


def _replacement(older: Source, others: Iterable[Source]) -> Source | None:
    """The newest contradictory resolution of the same problem, if one is newer."""
    return max((one for one in others if _replaces(one, older)), key=_sent_at, default=None)


def _replaces(newer: Source, older: Source) -> bool:
    if _sent_at(newer) <= _sent_at(older) or not contradict(_reading(newer), _reading(older)):
        return False
    return newer.score >= _COMPARABLE * older.score or is_certain(_reading(newer), _reading(older))


def _reading(source: Source) -> Reading:
    return read(statements(source.text), source.language)


def _sent_at(source: Source) -> int:
    return source.message_at or 0


def _number(value: PayloadValue, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def _text(value: PayloadValue) -> str | None:
    return value if isinstance(value, str) else None
