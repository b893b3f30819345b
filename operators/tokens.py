"""Splits a text into words and identifiers. An identifier stays whole, and its parts are tokens too.

`ERR_CONN-42` is `err_conn-42`, `err_conn`, `err`, `conn` and `42`. Scripts without spaces become pairs of characters.
"""

import re
import unicodedata
from typing import Final, get_args

from msgspec import Struct

from operators.pii.detector import Kind

#: Maximum characters read of a piece without white space, such as JSON, and of each part between separators.
_MAX_PIECE: Final = 8_192
_MAX_PART: Final = 512
#: Maximum length of a token, because longer ones aren't words, and maximum tokens of a part.
_MAX_TOKEN: Final = 128
_MAX_TOKENS: Final = 48

#: The placeholders of redaction carry no meaning.
_PLACEHOLDER: Final = re.compile(rf"\[(?:{'|'.join(get_args(Kind))})\]")
#: Han, kana, Hangul, Thai, Lao, Burmese and Khmer.
UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0002fa1f"
)
_PIECES: Final = re.compile(rf"[{UNSPACED}]+|[^\s{UNSPACED}]+")
_IS_UNSPACED: Final = re.compile(rf"[{UNSPACED}]")
#: Marks that belong to the letter before them: of accents, and the vowels of Hebrew, Arabic and the scripts of India.
_MARKS: Final = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0dff\u200c\u200d"
_LETTERS: Final = rf"(?:[^\W_]|[{_MARKS}])"

_SCHEME: Final = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://")
#: Separators of tokens that are written without a space between them: of ASCII, Arabic, Hindi and East Asian texts,
#: quotes, long dashes, bullets, arrows and emoji.
_APART: Final = re.compile(
    r"[\s()\[\]{}<>\"«»`=,;|&?#*^~!\u060c\u061b\u061f\u06d4\u0964\u0965\u2014\u2015\u2018\u201c-\u201f\u2020-\u2026"
    r"\u2190-\u2bff\u3000-\u3004\u3008-\u303f\U0001f000-\U0001faff]+|--+|\.\.+"
)
_CORE: Final = re.compile(rf"{_LETTERS}(?:.*{_LETTERS})?")
#: Punctuation at the ends of a piece; without removing it, one word would be many different pieces.
OUTER: Final = ".,;:!?()\"'"
#: Characters that are read as ASCII ones: short dashes, and digits of other scripts.
_LOOKALIKES: Final = {
    **dict.fromkeys("\u05be\u2010\u2011\u2012\u2013\u2212", "-"),
    **{chr(ord(zero) + digit): str(digit) for zero in "\u0660\u06f0\u0966\u09e6\u0ae6" for digit in range(10)},
}
_LOOKALIKE: Final = re.compile(f"[{''.join(_LOOKALIKES)}]")
_APOSTROPHE: Final = re.compile("['’]")  # noqa: RUF001 - likewise
_SHORT_ENDINGS: Final = frozenset({"s", "t", "re", "ve", "ll", "d", "m"})
_SEGMENTS: Final = re.compile(r"[/\\:@]+")
_WORDS: Final = re.compile(rf"{_LETTERS}+")
_CAMEL: Final = re.compile(r"[a-z](?:[A-Z]|[0-9]+[A-Z][a-z])|[A-Z]{2}[a-z]{2}")
_HUMPS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NUMBERED: Final = re.compile(r"([A-Za-z]{2,})([0-9]{2,})|[A-Za-z]([0-9]{3,})|0[xX]([0-9A-Fa-f]{4,})")
_DIGIT: Final = re.compile(r"\d")
_VERSION: Final = re.compile(r"v?(\d+(?:\.\d+)+)", re.IGNORECASE)
_HARDWARE_ADDRESS: Final = re.compile(
    r"[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}", re.IGNORECASE
)
_LANGUAGE: Final = re.compile(r"\W*([A-Za-z](?:\+\+|#))\W*")  # of programming
_DOTTED: Final = re.compile(r"\d+(?:\.\d+)+")
_NAME_AND_VERSION: Final = re.compile(r"(.+?)-\d")
_HYPHENED: Final = re.compile(r"([A-Za-z]{1,12})-([A-Za-z]{1,12})")


class Token(Struct, frozen=True):
    """A token in lower case. A `word` may be stemmed; other tokens are exact."""

    text: str
    word: bool
    shouted: bool = False


def pieces_of(text: str) -> list[str]:
    """Parts of the text for `tokens_of`: divided at white space and between scripts with and without spaces."""
    if text.isascii():
        return [piece for part in text.split() if (piece := part.strip(OUTER))]
    pieces: list[str] = []
    for part in _PIECES.findall(plain(text)):
        piece = part.strip(OUTER)
        pieces += _pairs(piece) if _IS_UNSPACED.match(piece) else [piece] if piece else []
    return pieces


def plain(text: str) -> str:
    """The text with full-width characters, ligatures, short dashes and digits of other scripts in their plain forms."""
    if text.isascii():
        return text
    return _LOOKALIKE.sub(lambda found: _LOOKALIKES[found[0]], unicodedata.normalize("NFKC", text))


def is_unspaced(character: str) -> bool:
    """Whether the character is of a script that is written without spaces between words."""
    return _IS_UNSPACED.match(character) is not None


def _pairs(run: str) -> list[str]:
    """Neighbouring characters of a script without spaces, in pairs that overlap."""
    return [run[at : at + 2] for at in range(len(run) - 1)] or [run]


def tokens_of(piece: str) -> tuple[Token, ...]:
    """The different tokens of a piece: whole ones first, then their parts."""
    if piece.isalpha() and not _CAMEL.search(piece):
        return (_word(piece),) if len(piece) <= _MAX_TOKEN else ()
    language = _LANGUAGE.fullmatch(piece) if "+" in piece or "#" in piece else None
    if language is not None:
        return (Token(language.group(1).casefold(), word=False),)
    found: dict[Token, None] = {}
    for part in _APART.split(_without_marks(piece[:_MAX_PIECE])):
        core = _CORE.search(part[:_MAX_PART])
        if core is not None:
            found.update(dict.fromkeys(_tokens(core.group())[:_MAX_TOKENS]))
    return tuple(token for token in found if len(token.text) <= _MAX_TOKEN)


def _without_marks(piece: str) -> str:
    """The piece without placeholders and URL schemes."""
    if "[" in piece:
        piece = _PLACEHOLDER.sub(" ", piece)
    return _SCHEME.sub(" ", piece) if "://" in piece else piece


def _tokens(core: str) -> list[Token]:
    if core.isalpha() and not _CAMEL.search(core):
        return [_word(core)]
    if _WORDS.fullmatch(core) is not None:
        return _parts(core)
    if _APOSTROPHE.search(core):
        first, *rest = _APOSTROPHE.split(core)
        kept = [first, *(other for other in rest if other.casefold() not in _SHORT_ENDINGS)]
        return [token for one in kept if len(one) > 1 for token in _tokens(one)]
    return [Token(core.casefold(), word=False), *_inner(core)]


def _inner(core: str) -> list[Token]:
    """The tokens inside one with punctuation: segments that have some themselves, then words."""
    whole: list[str] = []
    found: list[Token] = []
    if _DIGIT.search(core):
        version = _VERSION.fullmatch(core)
        if version is not None:
            numbers = version.group(1).split(".")
            return [Token(".".join(numbers[:count]), word=False) for count in range(len(numbers), 1, -1)]
        if _HARDWARE_ADDRESS.fullmatch(core) is not None:  # all three forms share the one without separators
            found.append(Token(re.sub("[:.-]", "", core).casefold(), word=False))
        named = _NAME_AND_VERSION.match(core)
        whole += [named.group(1)] if named is not None else []
        whole += _DOTTED.findall(core)
    elif (hyphened := _HYPHENED.fullmatch(core)) is not None:
        found.append(_word("".join(hyphened.groups())))
    for segment in _SEGMENTS.split(core):
        if "." in segment or "-" in segment or "_" in segment:
            whole += [segment, *segment.split("."), *segment.split("-")]
    found += [
        Token(inner.group().casefold(), word=False)
        for one in whole
        if (inner := _CORE.search(one)) is not None and _WORDS.fullmatch(inner.group()) is None
    ]
    return found + [token for word in _WORDS.findall(core) if len(word) > 1 for token in _parts(word)]


def _parts(word: str) -> list[Token]:
    """A word without punctuation, and the parts that its capitals and digits divide it into."""
    numbered = _NUMBERED.fullmatch(word)
    if numbered is not None:
        parts = [part for part in numbered.groups() if part]
    elif _CAMEL.search(word):
        parts = _HUMPS.findall(word)
    elif not _DIGIT.search(word):
        return [_word(word)]
    else:
        parts = []
    return [
        Token(word.casefold(), word=False),
        *(Token(part.casefold(), word=part.isalpha()) for part in parts if len(part) > 1),
    ]


def _word(word: str) -> Token:
    return Token(word.casefold(), word=True, shouted=len(word) > 1 and word.isupper())
