"""All detectors over one text, and who wins where two find the same."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from operators.pii import contact, finance, identity, network, secrets
from operators.pii.detector import Detector, Span

#: In the order they are asked: what is found earlier is not looked at again.
DETECTORS: Final[tuple[Detector, ...]] = (
    *secrets.DETECTORS,
    *(d for d in network.DETECTORS if d.kind == "CREDENTIALS"),
    *(d for d in contact.DETECTORS if d.kind == "EMAIL"),
    *finance.DETECTORS,
    *identity.DETECTORS,
    *(d for d in network.DETECTORS if d.kind == "IP"),
    *(d for d in contact.DETECTORS if d.kind == "PHONE"),
)

#: What a finding without digits needs; a text that has none of it, and few digits, has no findings.
_NEEDED: Final = ("-----begin", *dict.fromkeys(n for d in DETECTORS if not d.min_digits for n in d.needs))
#: At a text at most: those in which findings run into each other are rare, and shouldn't take long.
_LOOKS: Final = 3
#: What follows an address and makes another.
_GOES_ON: Final = re.compile(r"[\w.+%'-]{1,64}@")
#: Digits close together.
_FOUR: Final = re.compile(r"\d(?:[^\d\n]{0,2}\d){3}")
_SIX: Final = re.compile(r"\d(?:[^\d\n]{0,2}\d){5}")

#: Characters of the same length that readers take for others: full-width and Arabic-Indic digits, odd spaces, dashes.
_LOOKALIKES: Final = {
    **{0xFF01 + n: 0x21 + n for n in range(94)},
    **{base + n: 0x30 + n for base in (0x0660, 0x06F0, 0x0966) for n in range(10)},
    **dict.fromkeys([0xA0, 0x2000, *range(0x2001, 0x200B), 0x202F, 0x205F, 0x3000], 0x20),
    **dict.fromkeys([*range(0x2010, 0x2016), 0x2212], 0x2D),
}


def find_pii(text: str, detectors: tuple[Detector, ...] = DETECTORS) -> list[Span]:
    """Spans that don't overlap, left to right.

    A finding that runs into an earlier one may hide a third, so the text is looked at again without those taken; the
    digits of such a finding are of its kind all the same, and so is all of it when it still stands in the way at last.
    """
    if not text.isascii():
        text = text.translate(_LOOKALIKES)
    taken: list[Span] = []
    for look in range(_LOOKS):
        rests = _look(text, taken, detectors)
        if not rests and not any(span.kind == "EMAIL" and _GOES_ON.match(text, span.end) for span in taken):
            break
        for rest in rests:
            for part in list(_rests(taken, rest)):  # somebody else may have found some of it since
                if look == _LOOKS - 1 or any(character.isdigit() for character in text[part.start : part.end]):
                    _take(taken, part)
        text = _without(text, taken)
    return taken


def _look(text: str, taken: list[Span], detectors: tuple[Detector, ...]) -> list[Span]:
    """Add what is found to `taken`; what is left of those that ran into an earlier one."""
    lowered = text.lower()
    digits = (6 if _SIX.search(text) else 4) if _FOUR.search(text) else 0
    if not digits and not _has_any(lowered, _NEEDED):
        return []
    rests: list[Span] = []
    for span in _candidates(text, lowered, digits, detectors):
        if not _take(taken, span):
            rests += _rests(taken, span)
    return rests


def _take(taken: list[Span], span: Span) -> bool:
    """False for one that overlaps another, and isn't taken."""
    at = bisect_left(taken, span.start, key=_start)
    free = (not at or taken[at - 1].end <= span.start) and (at == len(taken) or span.end <= taken[at].start)
    if free:
        taken.insert(at, span)
    return free


def _rests(taken: list[Span], span: Span) -> Iterator[Span]:
    """The parts of `span` that nobody has taken."""
    start = span.start
    at = max(0, bisect_left(taken, start, key=_start) - 1)
    while at < len(taken) and taken[at].start < span.end:
        if start < taken[at].start:
            yield Span(start, taken[at].start, span.kind)
        start = max(start, taken[at].end)
        at += 1
    if start < span.end:
        yield Span(start, span.end, span.kind)


def _without(text: str, taken: list[Span]) -> str:
    """`text` with what is taken made into something that no detector knows."""
    pieces, at = [], 0
    for span in taken:
        pieces += [text[at : span.start], "\0" * (span.end - span.start)]
        at = span.end
    return "".join([*pieces, text[at:]])


def _candidates(text: str, lowered: str, digits: int, detectors: tuple[Detector, ...]) -> Iterator[Span]:
    if "-----begin" in lowered:
        for start, end in secrets.private_keys(text):
            yield Span(start, end, "SECRET")
    for detector in detectors:
        if detector.kind == "CARD" and digits:  # an account number may hold what looks like a card's
            yield from _ibans(text)
        possible = digits >= detector.min_digits
        if possible and (not detector.needs or _has_any(lowered, detector.needs)):
            yield from detector.find(text)


def _has_any(lowered: str, needed: tuple[str, ...]) -> bool:
    for word in needed:  # noqa: SIM110 - a generator takes twice as long, and this is most of the time here
        if word in lowered:
            return True
    return False


def _ibans(text: str) -> Iterator[Span]:
    at = 0
    while (match := finance.IBAN.search(text, at)) is not None:
        end = finance.iban_end(text, match.start(), match.end())
        if end is not None:
            yield Span(match.start(), end, "IBAN")
        at = end or match.start() + 4


def _start(span: Span) -> int:
    return span.start
