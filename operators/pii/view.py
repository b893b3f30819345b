"""The text for detectors: lookalikes folded to ASCII, with a mapping back to the original offsets.

Full-width, superscript and other digits become ASCII digits, look-alike punctuation becomes ASCII, invisible characters
and marks go, and HTML entities, JSON escapes and percent-encoded `@` and `+` are decoded.
"""

import html
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from copy import copy
from functools import cached_property
from itertools import accumulate
from typing import Final

from operators.pii.label_words import Label
from operators.pii.labels import label_before
from operators.pii.runs import Run, runs_of

#: Escapes in ASCII text, and every character that `_fold` may change. The negated class lists the common letters and
#: punctuation that stay, so that most texts have no match.
_FOLDED: Final = re.compile(
    r"&(?:amp;)*(?:#[0-9]{2,7};?|#[xX][0-9a-fA-F]{2,6};?|[a-zA-Z]{2,31};)"
    r"|%(?:40|2[Bb])"
    r"|\\(?:u[0-9a-fA-F]{4}|[\"/]|[nrt](?![a-z]))"
    r"|[^\x00-\x7f\xa1-\xa9\xab\xac\xae\xaf-\xb1\xb4-\xb6\xb7\xb8\xbb\xbf-\u024f\u0370-\u052f\u0531-\u0587\u05d0-\u05ea"
    r"\u0620-\u065f\u0671-\u06d5\u0904-\u0965\u0970-\u097f\u0e01-\u0e4e\u1100-\u115e\u1e00-\u1fff\u2018-\u201e\u2026"
    r"\u20ac\u2122\u3001\u3005-\u3011\u3041-\u309f\u30a1-\u30fa\u30fc-\u30fe\u4e00-\u9fff\uac00-\ud7a3]+"
)
#: Look-alikes of ASCII signs that no normal form maps; raised and heavy dots are seen as one.
_SIGNS: Final = {
    **dict.fromkeys("\x85\u2028\u2029", "\n"),
    **dict.fromkeys("\u3002\uff0e\uff61\u2024\u06d4", "."),
    **dict.fromkeys("\u2022\u2027\u2219\u22c5\u30fb\uff65\u25cf\u25e6\u2e33\u00b7", "\u00b7"),
    **dict.fromkeys("\u2212\u2043", "-"),
    "\u2800": " ",
}
#: Blank glyphs that are letters or symbols to Unicode.
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5\u034f")
_ENTITY: Final = re.compile(r"&(?:#\w+|\w+);?")
_ESCAPED: Final = {"n": "\n", "r": "\n", "t": "\t", '"': '"', "/": "/"}
#: Combining marks that no digit needs.
_MARKS: Final = ((0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F))


class _Folds(dict[str, str]):
    """Characters and their replacements for detectors, computed once per character."""

    def __missing__(self, character: str) -> str:
        self[character] = folded = _fold(character)
        return folded


def _fold(character: str) -> str:
    if _is_unseen(character):
        return ""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    return _SIGNS.get(character) or _folded_sign(character)


def _is_unseen(character: str) -> bool:
    """Format characters, fillers, variation selectors, and combining marks that no digit needs."""
    code, category = ord(character), unicodedata.category(character)
    if category == "Mn":
        return _is_variation_selector(code) or any(first <= code <= last for first, last in _MARKS)
    return category in {"Cf", "Cn", "Me"} or character in _FILLERS


def _folded_sign(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Zs", "Pd"}:
        return " " if category == "Zs" else "-"
    composed = unicodedata.normalize("NFKC", character)
    return composed if composed.isascii() else character


def _is_variation_selector(code: int) -> bool:
    return 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or 0x180B <= code <= 0x180F


_FOLDS: Final = _Folds()


def part_ends(parts: Sequence[str]) -> list[int]:
    """The end of each part in the parts joined by one character."""
    return [end - 1 for end in accumulate(len(part) + 1 for part in parts)]


class View:
    """A text for detectors.

    Attributes:
        text: the folded text.
        lower: `text` in lower case, of the same length.
    """

    def __init__(self, source: str, parts: Sequence[str] = ()) -> None:
        """`parts`: the texts that `source` joins by one character, if it is several."""
        self._parts = parts
        self._at: list[int] = []
        self._source_at: list[int] = []
        self._source_length = len(source)
        self._labels: dict[int, Label] = {}
        self._memo: dict[Callable[[View], frozenset[str]], frozenset[str]] = {}
        if not source.isascii() or "&" in source or "\\" in source or "%" in source:
            source = self._folded(source)
        self.text = source
        # Only the dotted capital I would become two characters.
        self.lower = (source if source.isascii() else source.replace("\u0130", "I")).lower()

    def memo(self, compute: Callable[["View"], frozenset[str]]) -> frozenset[str]:
        """The result of `compute` on this view, cached."""
        if compute not in self._memo:
            self._memo[compute] = compute(self)
        return self._memo[compute]

    def label(self, at: int) -> Label:
        """The label of the number at `at`."""
        found = self._labels.get(at)
        if found is None:
            found = self._labels[at] = label_before(self.lower, at)
        return found

    @cached_property
    def runs(self) -> list[Run]:
        """Runs of six digits and more."""
        return list(runs_of(self.text, 6))

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text that [start, end) of `text` stands for."""
        if not self._at:
            return start, end
        first, last = bisect_right(self._at, start) - 1, bisect_right(self._at, end - 1) - 1
        return self._original(first, start, end=False), self._original(last, end, end=True)

    def part_end(self, position: int) -> int:
        """The end of the part that holds `position` of `text`."""
        if not self._parts:
            return len(self.text)
        ends = part_ends(self._parts)
        source_end = ends[bisect_left(ends, self.source(position, position + 1)[0] + 1)]
        if not self._at:
            return source_end
        piece = bisect_left(self._source_at, source_end) - 1
        at = self._at[piece] + source_end - self._source_at[piece]
        return min(at, self._at[piece + 1] if piece + 1 < len(self._at) else len(self.text))

    def masked(self, spans: list[tuple[int, int]]) -> "View":
        """This view with `spans` of `text` made unreadable."""
        pieces, at = [], 0
        for start, end in spans:
            pieces += [self.text[at:start], "\0" * (end - start)]
            at = end
        other = copy(self)
        other.text = "".join([*pieces, self.text[at:]])
        other.lower = other.text.replace("\u0130", "I").lower()
        other.__dict__.pop("runs", None)
        return other

    def _folded(self, source: str) -> str:
        pieces: list[str] = []
        at = length = literal = 0  # of source: where copied to, and where the current equal-length stretch began
        for match in _FOLDED.finditer(source):
            start, found = match.start(), match.group()
            escape = found[0] in "&%\\"
            units = [_unescaped(found)] if escape else [_FOLDS[character] for character in found]
            pieces.append(source[at:start])
            at = match.end()
            new = "".join(units)
            pieces.append(new)
            if new == found or (not escape and len(new) == len(found) and all(len(unit) == 1 for unit in units)):
                continue
            if literal < start:
                self._piece(length, literal)
                length += start - literal
            for old, unit in zip([found] if escape else found, units, strict=True):
                self._piece(length, start)
                length += len(unit)
                start += len(old)
            literal = at
        pieces.append(source[at:])
        if self._at:
            self._piece(length, literal)
        return "".join(pieces)

    def _piece(self, at: int, source_at: int) -> None:
        self._at.append(at)
        self._source_at.append(source_at)

    def _original(self, piece: int, position: int, *, end: bool) -> int:
        """A position in the source. A folded piece counts as a whole, with the dropped characters behind it."""
        start, source_start = self._at[piece], self._source_at[piece]
        after = piece + 1
        stop, source_stop = (
            (self._at[after], self._source_at[after])
            if after < len(self._at)
            else (len(self.text), self._source_length)
        )
        literal = stop - start == source_stop - source_start
        if literal and not (end and position == stop):
            return source_start + position - start
        if not end:
            return source_start
        while after + 1 < len(self._at) and self._at[after + 1] == stop:
            after += 1
        return self._source_at[after] if after < len(self._at) else self._source_length


def _unescaped(found: str) -> str:
    """An HTML entity, a JSON escape or a percent escape, decoded; unchanged if it stands for nothing printable."""
    if found[0] == "%":
        return "@" if found == "%40" else "+"
    if found[0] == "\\":
        if found[1] != "u":
            return _ESCAPED[found[1]]
        decoded = chr(int(found.removeprefix("\\u"), base=16))
    else:
        while (decoded := html.unescape(found)) != found and _ENTITY.fullmatch(decoded):
            found = decoded
        if decoded == found:
            return found
    return "".join(_FOLDS[c] if not c.isascii() else c for c in decoded)
