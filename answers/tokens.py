"""Splits words of a sentence into tokens: those compared exactly, and the parts of the others."""

import re
from typing import Final

from answers.quantities import exact_of
from operators.terms import bare

#: Characters inside a token that make it an address, a path, a version or a code.
_EXACT: Final = re.compile(r"[\d/\\@_=#+&~$%€£*]|\w\.\w|:\w|[a-z][A-Z]|^[A-Z]{2,}$|^\[.+\]$|^[A-Z]{2,}s$")
_APOSTROPHE: Final = re.compile(r"^(.{2,})'(?:s|re|ve|ll|d|m)$")
_ELISION: Final = re.compile(r"^(?:[cdjlmnst]|qu|dell|nell|all|sull|un)'(?=\w)", re.IGNORECASE)
#: An option of a command, a path or a URL, whose case matters.
_OPTION: Final = re.compile(r"-[A-Za-z]{1,3}$|--[A-Za-z]|~?/\w|\.{1,2}/|.*(?:\\\w|://)")
#: A unit of bits. Only its case distinguishes it from one of bytes.
_BITS: Final = re.compile(r"([KMGTkmgt])b(ps|/s)|([KMGT])b")
#: Prefixes with a hyphen that change the meaning of the word behind it.
_PREFIXES: Final = ("non-", "anti-", "un-", "pre-", "post-", "nicht-", "de-", "dis-", "mis-")
#: Scripts without spaces become pairs of characters.
UNSPACED: Final = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")


def fold(text: str) -> str:
    """`text` in lower case, without accents."""
    return bare(text.casefold())


def exact_token(word: str, folded: str, language: str | None, before: str, *, first: bool) -> str | None:
    """The token of a number, code, path or other word that is compared exactly; None for other words.

    `folded` is the word folded, `before` the exact token right before it, and `first` says that it begins a clause.
    """
    bits = _BITS.fullmatch(word) if "b" in word else None
    if bits is not None:
        return f"{(bits[1] or bits[3]).lower()}bit{bits[2] or ''}".replace("/", "p")
    found = exact_of(folded, language, before)
    if found is not None:
        return found
    if _OPTION.match(word):
        return word
    # "I" is a word, and so are "A" and others at the beginning
    is_letter = len(word) == 1 and "A" <= word <= "Z" and word != "I" and not (first and word in "AEOUY")
    return folded if is_letter or _EXACT.search(word) else None


def parts_of(word: str) -> list[str]:
    """A word without its apostrophe, split at hyphens; pairs of characters in scripts without spaces."""
    word = _ELISION.sub("", word)
    owner = _APOSTROPHE.match(word)
    word = word if owner is None else owner.group(1)
    if UNSPACED.search(word):
        return [
            run[at : at + 2]
            for run in re.split(r"[^\w]+", word)
            for at in range(max(1, len(run) - 1))
            if run[at : at + 2]
        ]
    if word.casefold().startswith(_PREFIXES):
        return [word]
    return [part for part in word.split("-") if part]
