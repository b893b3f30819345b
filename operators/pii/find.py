"""Run all detectors over a text and resolve overlaps."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final, Literal

from operators.pii import addresses, finance, home, identity, keys, mail, phones, secrets, spelt_mail, urls
from operators.pii.detector import Detector, Span
from operators.pii.view import View, part_ends

#: In order of precedence: an earlier finding is never overridden.
DETECTORS: Final[tuple[Detector, ...]] = (
    *keys.DETECTORS,
    *secrets.DETECTORS,
    *urls.DETECTORS,
    *mail.DETECTORS,
    *spelt_mail.DETECTORS,
    *finance.DETECTORS,
    *identity.DETECTORS,
    *addresses.DETECTORS,
    *phones.DETECTORS,
    *home.DETECTORS,
)

#: Passes over a text at most. More than one is needed only where findings overlap.
_MAX_PASSES: Final = 3
#: An address right behind another, which ends in the first one's domain.
_NEXT_ADDRESS: Final = re.compile(r"[\w.+%'-]{0,64}@")
#: Digits at most four characters apart.
_FOUR: Final = re.compile(r"[0-9](?:[^0-9]{0,4}[0-9]){3}")
_SIX: Final = re.compile(r"[0-9](?:[^0-9]{0,4}[0-9]){5}")


class _Taken:
    """Spans that don't overlap, sorted."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._starts: list[int] = []

    def add(self, span: Span) -> bool:
        """Add `span` unless it overlaps a taken one; returns whether it was added."""
        spans, at = self.spans, bisect_left(self._starts, span.start)
        free = (not at or spans[at - 1].end <= span.start) and (at == len(spans) or span.end <= spans[at].start)
        if free:
            spans.insert(at, span)
            self._starts.insert(at, span.start)
        return free

    def uncovered(self, span: Span) -> list[Span]:
        """The parts of `span` that no taken span covers."""
        spans, start, parts = self.spans, span.start, []
        at = max(0, bisect_right(self._starts, start) - 1)
        while at < len(spans) and spans[at].start < span.end:
            if start < spans[at].start:
                parts.append(Span(start, spans[at].start, span.kind))
            start = max(start, spans[at].end)
            at += 1
        if start < span.end:
            parts.append(Span(start, span.end, span.kind))
        return parts


def find_pii(text: str, detectors: tuple[Detector, ...] = DETECTORS) -> list[Span]:
    """Spans of `text` that don't overlap, left to right."""
    return _find(View(text), detectors)


def find_in_parts(
    texts: Sequence[str], detectors: tuple[Detector, ...] = DETECTORS, *, separator: Literal["\n", " "] = "\n"
) -> list[list[Span]]:
    """Spans of each text. The texts are read as one, so a value that is split over two of them is found in both."""
    spans = _find(View(separator.join(texts), texts), detectors)
    found: list[list[Span]] = [[] for _ in texts]
    ends = part_ends(texts) if spans else []
    for span in spans:
        for part in range(bisect_left(ends, span.start), len(texts)):
            begins = ends[part - 1] + 1 if part else 0
            if begins >= span.end:
                break
            start, end = max(span.start, begins), min(span.end, ends[part])
            if start < end:
                found[part].append(Span(start - begins, end - begins, span.kind))
    return found


def _find(view: View, detectors: tuple[Detector, ...]) -> list[Span]:
    """Find spans repeatedly, with accepted ones masked: a finding that overlaps an earlier one may hide a third.

    The uncovered rest of such a finding is redacted too if it has digits, or if it still overlaps on the last pass.
    """
    taken = _Taken()
    for number in range(_MAX_PASSES):
        overlapping = _scan(view, taken, detectors)
        if not taken.spans:
            return []
        if not overlapping and not _has_address_behind(view.text, taken.spans):
            break
        for span in overlapping:
            for part in taken.uncovered(span):  # another detector may have claimed some of it meanwhile
                if number == _MAX_PASSES - 1 or _has_digit(view.text, part):
                    taken.add(part)
        view = view.masked([(span.start, span.end) for span in taken.spans])
    return [Span(*view.source(span.start, span.end), span.kind) for span in taken.spans]


def _has_digit(text: str, span: Span) -> bool:
    return any(character.isdigit() for character in text[span.start : span.end])


def _has_address_behind(text: str, spans: list[Span]) -> bool:
    return any(span.kind == "EMAIL" and _NEXT_ADDRESS.match(text, span.end) for span in spans)


def _scan(view: View, taken: _Taken, detectors: tuple[Detector, ...]) -> list[Span]:
    """Add findings to `taken`; return the uncovered parts of findings that overlap an earlier one."""
    text, lower = view.text, view.lower
    digits = (6 if _SIX.search(text) else 4) if _FOUR.search(text) else 0
    rests: list[Span] = []
    ascii_only = text.isascii()
    for detector in detectors:
        if digits < detector.min_digits:
            continue
        needs = detector.needs
        if needs:
            for word in needs:  # not a call, because this is most of the time here
                if word in lower:
                    break
            else:
                if ascii_only or not any(word in lower for word in detector.also):
                    continue
        for start, end in detector.find(view):
            span = Span(start, end, detector.kind)
            if not taken.add(span):
                rests += taken.uncovered(span)
    return rests
