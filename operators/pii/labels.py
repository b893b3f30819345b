"""Labels of numbers (telephone, card, order): the nearest indicative word before the number."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from operators.pii.label_words import ENDS, LABELS, STARTS, UNSPACED, Label

#: Maximum characters and words before a value that are searched for its label.
_REACH: Final = 48
_MAX_WORDS: Final = 6
#: In scripts without spaces, how far from the value its label may begin.
_NEAR: Final = 16
#: `\\w` leaves out the vowel signs of Indic and Semitic scripts.
_WORD: Final = re.compile(
    r"(?:[^\W\d_]|[\u0300-\u036f\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e])+:?"
    r"|[#№☎☏✆📞📱📲]|[0-9]{4,}|[.!?;](?=\s)|\n"
)
#: Alone and before a colon, these are short for telephone, mobile, fax, home and cell.
_INITIALS: Final = frozenset({"t:", "m:", "p:", "f:", "h:", "c:", "т:"})
#: A full stop behind a word of this length, or behind "…nr", may be an abbreviation's.
_LONGEST_ABBREVIATION: Final = 5
_NUMBER_WORDS: Final = ("num", "núm", "no", "nr", "номер", "رقم", "नंबर")
#: How many other words may stand between a label and a colon before the number: "phone (work):".
_STRANGERS: Final = 2
_GREEK: Final = "\u0370"


def _forms(word: str) -> set[str]:
    """A word as it is, and as people type it without accents."""
    if word >= _GREEK:
        return {word}
    return {word, "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))}


def _by_word(lists: dict[Label, str]) -> dict[str, Label]:
    return {word: label for label, words in lists.items() for word in words.split()}


_EXACT: Final = {form: label for word, label in _by_word(LABELS).items() for form in sorted(_forms(word))}
_STARTS: Final = tuple(_by_word(STARTS).items())
_ENDS: Final = tuple(_by_word(ENDS).items())
_UNSPACED: Final = tuple(_by_word(UNSPACED).items())


@lru_cache(maxsize=16_384)
def label_of(word: str) -> Label:
    """The label that a lower-case word gives to the number after it."""
    found = _EXACT.get(word)
    if found is not None:
        return found
    for stem, label in _STARTS:
        if word.startswith(stem):
            return label
    for stem, label in _ENDS:
        if word.endswith(stem):
            return label
    return "unknown"


def label_before(lower: str, at: int) -> Label:
    """The label of the number at `at` of a lower-case text; "unknown" without a word nearby.

    Fillers such as "number is" may stand between.
    """
    window = lower[max(0, at - _REACH) : at]
    if not window.isascii():
        place, label = max((window.rfind(word), label) for word, label in _UNSPACED)
        if place >= 0 and len(window) - place <= _NEAR:
            return label
    return _nearest_label(window)


def _nearest_label(window: str) -> Label:
    strangers = _STRANGERS if window.rstrip(" \t(\"'+").endswith(":") else 0
    numbered = ended = False
    for word in reversed(_WORD.findall(window)[-_MAX_WORDS:]):
        if word in ".!?;":
            ended = True
            continue
        if word[0].isdigit() or (ended and not _is_abbreviation(word)):
            break  # another number, or another sentence
        ended = False
        label: Label = "phone" if word in _INITIALS else label_of(word.rstrip(":"))
        if label == "mine":
            return "phone" if numbered else "unknown"
        if label == "filler":
            numbered = numbered or word.startswith(_NUMBER_WORDS)
        elif label == "unknown":
            strangers -= 1
            if strangers < (-1 if word == "\n" else 0):
                break
        else:
            return label
    return "unknown"


def _is_abbreviation(word: str) -> bool:
    return len(word) <= _LONGEST_ABBREVIATION or word.endswith(("nr", "no"))
