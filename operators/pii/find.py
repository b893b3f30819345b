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
    """Spans that don't overlap, left to right."""
    if not text.isascii():
        text = text.translate(_LOOKALIKES)
    lowered = text.lower()
    digits = (6 if _SIX.search(text) else 4) if _FOUR.search(text) else 0
    if not digits and not _has_any(lowered, _NEEDED):
        return []
    taken: list[Span] = []
    for span in _candidates(text, lowered, digits, detectors):
        at = bisect_left(taken, span.start, key=_start)
        before_ends = taken[at - 1].end if at else 0
        after_begins = taken[at].start if at < len(taken) else len(text)
        if before_ends <= span.start and span.end <= after_begins:
            taken.insert(at, span)
    return taken


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
