"""Removes invisible characters, which can hide numbers from filters and instructions from readers.

A few of them shape visible text, and are kept there: joiners in emoji and in Arabic and Indic scripts, variation
selectors behind emoji and ideographs, and the tags of three flags.
"""

import re
from typing import Final

#: Controls but tab and line breaks, format characters, fillers, variation selectors and tags (Unicode 16, chapter 23).
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]+"
)
_ZWNJ: Final = "\u200c"
_ZWJ: Final = "\u200d"
_BLACK_FLAG: Final = "\U0001f3f4"
_KEYCAP: Final = "\u20e3"
_KEYS: Final = frozenset("#*0123456789")
_EMOJI_STYLES: Final = frozenset("\ufe0e\ufe0f")
#: England, Scotland and Wales: the only flags spelt with tags that are in use.
_FLAGS: Final = tuple(
    "".join(chr(0xE0000 + ord(c)) for c in code) + "\U000e007f" for code in ("gbeng", "gbsct", "gbwls")
)
_PICTOGRAPH: Final = re.compile(
    "[\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
#: Scripts whose letters join: Arabic, Syriac, N'Ko, those of India, Tibetan, Burmese, Khmer and Mongolian.
_JOINING: Final = re.compile(
    "[\u0600-\u07ff\u0840-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\u1a20-\u1aaf\ua840-\ua8ff\ufb50-\ufdff\ufe70-\ufefc"
    "\U00010a00-\U00010aff\U00011000-\U000116ff]"
)
_IDEOGRAPH: Final = re.compile("[\u3001-\u3007\u3400-\u9fff\uf900-\ufaff\uff01-\uff60\U00020000-\U0003ffff]")
_SELECTOR: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_MONGOLIAN: Final = re.compile("[\u1807\u1820-\u18aa]")
_MONGOLIAN_MARK: Final = re.compile("[\u180b-\u180f]")
_JAMO: Final = re.compile("[\u1100-\u115e\u1161-\u11ff]")
_JAMO_FILLER: Final = re.compile("[\u115f\u1160]")


def remove_invisible(text: str) -> str:
    """`text` with visible characters only, and those that shape them."""
    return _INVISIBLE.sub(_needed, text) if _INVISIBLE.search(text) else text


def _needed(match: re.Match[str]) -> str:
    """The part of a row of invisible characters that shapes the character before or after it."""
    row, text = match.group(), match.string
    before, after = (
        text[match.start() - 1 : match.start()] if match.start() else "",
        text[match.end() : match.end() + 1],
    )
    if before == _BLACK_FLAG:
        return next((flag for flag in _FLAGS if row.startswith(flag)), "")
    if _PICTOGRAPH.match(before):
        style = row[0] if row[0] in _EMOJI_STYLES else ""
        return style + (_ZWJ if _ZWJ in row and _PICTOGRAPH.match(after) else "")
    if before in _KEYS:
        return "\ufe0f" if row[0] == "\ufe0f" and after == _KEYCAP else ""
    for letter, sign in ((_IDEOGRAPH, _SELECTOR), (_MONGOLIAN, _MONGOLIAN_MARK), (_JAMO, _JAMO_FILLER)):
        if letter.match(before) and sign.match(row):
            return row[0]
    return _joiner(row, before, after)


def _joiner(row: str, before: str, after: str) -> str:
    """A joiner behind a letter of a joining script; a non-joiner also between such a letter and another word."""
    if _ZWNJ in row and before.strip() and after.strip() and (_JOINING.match(before) or _JOINING.match(after)):
        return _ZWNJ
    return _ZWJ if _ZWJ in row and _JOINING.match(before) else ""
