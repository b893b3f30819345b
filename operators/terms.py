"""The terms of a text, for searching by words: BM25 weights, which the index multiplies by the terms' rarity.

The weights are those of Qdrant's `Bm25`: tf * (k + 1) / (tf + k * (1 - b + b * length / average)).
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import ClassVar, Final
from zlib import crc32

import msgspec
import numpy as np
import Stemmer

from core.records import Point, Rejected, SparseVector, TicketPoints
from operators.pii.detector import words
from operators.stopwords import STOPWORDS
from operators.tokens import OUTER, Token, pieces_of, plain, tokens_of

_K: Final = 1.2
_B: Final = 0.75
#: Average number of pieces of a passage that have terms.
_AVERAGE: Final = 40
_CACHED: Final = 32_768

#: The stemmers by ISO 639-1 code. Words of other languages stay as they are.
_STEMMERS: Final = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish",
    "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
#: The language assumed for a passage whose language is unknown.
_DEFAULT: Final = "en"
#: Accents, which people leave out.
_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_LETTERS: Final = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})  # noqa: RUF001

#: Minimum digits of a number that is an identifier.
_MIN_DIGITS: Final = 3
#: A number written in groups, and how many digits it may have.
_GROUPED: Final = re.compile(r"(?<![0-9A-Za-z_.,:/-])\d{1,4}(?: \d{2,4})+(?![.,:/-]?[0-9A-Za-z_])")
_GROUPED_DIGITS: Final = range(6, 21)
#: A hardware address without separators, and the separators that it may have.
_HARDWARE_ADDRESS: Final = re.compile(r"[0-9a-f]{12}")
_SEPARATORS: Final = (":", "-")
#: A time, date, price, share or measure.
_QUANTITY: Final = re.compile(
    r"\d{1,2}[:.]\d\d(?::\d\d)?|\d{4}-\d\d?-\d\d?|\d\d?[./-]\d\d?[./-](?:19|20)\d\d"
    r"|\d+(?:[.,]\d{3})*[.,]\d{1,2}"
    r"|\d+(?:[.,]\d+)?-?(?:st|nd|rd|th|am|pm|h|hrs?|mins?|s|secs?|ms|days?|weeks?|months?|years?|x|k|m|km|kg|[kmgt]b)"
)
#: Parts of words that are joined by hyphens in plain language.
_COMPOUND: Final = words(
    "all and anti auto based built by co cross day de down e end ex extra far follow for free full half hand high if "
    "in inter less like line log long low mid mini mis multi new no non of off old on one out over part post pre pro "
    "re self semi set short sign so step sub super t the third time to two under un up us user vice well wi wide x year"
)

_NOTHING: Final = SparseVector(np.empty(0, np.uint32), np.empty(0, np.float32))


def add_terms(items: Sequence[TicketPoints]) -> list[TicketPoints | Rejected]:
    """Give each point the terms of its subject and text, in its language.

    They are not part of `tickets.embedded`; its readers compute them again from the payload.
    """
    return [_with_terms(item) for item in items]


def _with_terms(item: TicketPoints) -> TicketPoints:
    points = tuple(msgspec.structs.replace(point, terms=_terms_of(point)) for point in item.points)
    return msgspec.structs.replace(item, points=points)


def _terms_of(point: Point) -> SparseVector:
    payload = point.payload
    return terms_with_subject(payload.get("text", ""), payload.get("subject", ""), payload.get("language"))


def terms_with_subject(text: str, subject: str, language: str | None) -> SparseVector:
    """The terms of a ticket's passage and its subject, unless the text begins with it."""
    return passage_terms(text if text.startswith(subject) else f"{subject}\n{text}", language)


def passage_terms(text: str, language: str | None = None) -> SparseVector:
    """The terms of a passage with their BM25 weights, without rarity; `language` is its ISO 639-1 code, if known."""
    table = _passage_ids(language or _DEFAULT)
    found = [some for piece in _pieces(text) if (some := table[piece])]
    if not found:
        return _NOTHING
    ids = list(chain.from_iterable(found))
    held = sorted({*ids})
    norm = _K * (1 - _B + _B * len(found) / _AVERAGE)
    once = (_K + 1) / (1 + norm)
    if len(held) == len(ids):  # each occurs once, as in most short passages
        weights = [once] * len(held)
    else:
        times: dict[int, int] = {}
        for one in ids:  # a Counter takes twice as long for so few
            times[one] = times.get(one, 0) + 1
        weights = [once if (n := times[one]) == 1 else n * (_K + 1) / (n + norm) for one in held]
    return SparseVector(np.array(held, np.uint32), np.array(weights, np.float32))


def question_terms(text: str, *languages: str | None) -> SparseVector:
    """The terms of a question, each of weight 1: its words as they are, and stemmed as English and as `languages`.

    A number in groups is also searched for as one: "4500 123 456" finds 4500123456.
    """
    known = _known(languages)
    ids = {one for piece in pieces_of(text) for one in _question_ids(piece, known)}
    ids |= {term_id(number.replace(" ", "")) for number in _grouped_numbers(text)}
    return SparseVector(np.array(sorted(ids), np.uint32), np.ones(len(ids), np.float32))


def forms_of_word(piece: str, *languages: str | None) -> frozenset[int]:
    """The terms by which a question finds a piece of its text; none for a stopword."""
    return _question_ids(piece, _known(languages))


def identifiers(text: str) -> tuple[str, ...]:
    """The identifiers in a text, in lower case: codes, numbers, versions, hosts, paths, names like `DataNode`.

    `term_id` of each is a term of the passages that hold it, except for numbers in groups, which are several terms, and
    for the other forms of a hardware address.
    """
    found: dict[str, None] = {}
    for piece in pieces_of(text):
        tokens = tokens_of(piece)
        if tokens and not _QUANTITY.fullmatch(tokens[0].text):
            found |= dict.fromkeys(token.text for token in tokens if _is_identifier(token))
    grouped = _grouped_numbers(text)
    return (*found, *grouped, *(number.replace(" ", "") for number in grouped), *_separated(found))


def _separated(found: Collection[str]) -> list[str]:
    pairs = [re.findall("..", one) for one in found if _HARDWARE_ADDRESS.fullmatch(one)]
    forms = [separator.join(address) for address in pairs for separator in _SEPARATORS]
    return [form for form in forms if form not in found]


def _grouped_numbers(text: str) -> list[str]:
    return [found for found in _GROUPED.findall(plain(text)) if len(found.replace(" ", "")) in _GROUPED_DIGITS]


def stem(word: str, language: str | None = None) -> str:
    """The stem of a word in lower case, without accents; `language` is its ISO 639-1 code, if known."""
    return _stem(Token(word, word=True), language or _DEFAULT)


def bare(text: str) -> str:
    """`text` without accents."""
    return _bare(text)


def term_id(token: str) -> int:
    """The CRC-32 of the token: it never changes, because it is stored in indexes."""
    return crc32(token.encode("utf-8", "surrogatepass"))


def _pieces(text: str) -> list[str]:
    """`pieces_of` for a table that removes the punctuation at their ends itself, once for each piece."""
    return text.split() if text.isascii() else pieces_of(text)


class _PassageIds(dict[str, tuple[int, ...]]):
    """The terms of pieces of passages in a language, by piece: a table that computes what it lacks.

    A look-up that finds its piece runs no Python code. All tables together are bounded: texts are anybody's.
    """

    known: ClassVar[int] = 0

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, piece: str) -> tuple[int, ...]:
        if _PassageIds.known >= _CACHED:
            _PassageIds.known = 0
            _passage_ids.cache_clear()
        _PassageIds.known += 1
        found = self[piece] = _terms_of_piece(piece.strip(OUTER), self._language)
        return found


@cache
def _passage_ids(language: str) -> _PassageIds:
    return _PassageIds(language)


def _terms_of_piece(piece: str, language: str) -> tuple[int, ...]:
    stopwords = STOPWORDS.get(language, frozenset())
    tokens = tokens_of(piece)
    if len(tokens) == 1 and _is_stopword(tokens[0], stopwords):
        return ()
    return tuple(dict.fromkeys(term_id(_stem(token, language)) for token in tokens))


def _known(languages: Sequence[str | None]) -> tuple[str, ...]:
    return (_DEFAULT, *(language for language in languages if language is not None))


@lru_cache(_CACHED)
def _question_ids(piece: str, languages: tuple[str, ...]) -> frozenset[int]:
    tokens = tokens_of(piece)
    if len(tokens) == 1 and any(_is_stopword(tokens[0], STOPWORDS.get(one, frozenset())) for one in languages):
        return frozenset()
    stems = (_stem(token, language) for token in tokens if token.word for language in languages)
    return frozenset(map(term_id, chain((_bare(token.text) for token in tokens), stems)))


def _is_identifier(token: Token) -> bool:
    text = token.text
    if token.word or _QUANTITY.fullmatch(text):
        return False
    if any(map(str.isdigit, text)):
        return any(map(str.isalpha, text)) or sum(map(str.isdigit, text)) >= _MIN_DIGITS
    parts = re.split(r"[^\w]+", text)
    if "_" in text or len(parts) == 1:  # a name with capitals inside
        return True
    return ("." in text and min(map(len, parts)) > 1) or ("-" in text and not _COMPOUND.intersection(parts))


def _is_stopword(token: Token, stopwords: frozenset[str]) -> bool:
    """A word in capitals isn't a stopword: "IT" is not "it"."""
    return token.word and not token.shouted and token.text in stopwords


def _stem(token: Token, language: str) -> str:
    stemmer = _stemmer(language) if token.word else None
    return _bare(token.text if stemmer is None else stemmer.stemWord(token.text))


def _bare(text: str) -> str:
    """The text without accents."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text.translate(_LETTERS))))


@cache
def _stemmer(language: str) -> Stemmer.Stemmer | None:
    """The stemmer of a language, without a cache of its own: its results are cached here."""
    name = _STEMMERS.get(language)
    return None if name is None else Stemmer.Stemmer(name, 0)
