"""Detects the language that a ticket is written in, with a confidence, or None if it can't be determined."""

import threading
from collections.abc import Sequence
from functools import cache
from typing import Final, Protocol

import numpy as np
import pycld2
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from core.contract import UpsertEvent
from core.records import EnrichedTicket, Label, Rejected, Ticket
from operators.words import own_words

#: Minimum of letters, in UTF-8: eight Latin letters or three Chinese characters.
_MIN_BYTES: Final = 8
#: The letters of longer texts are not counted.
_MAX_COUNTED: Final = 40
_MIN_CONFIDENCE: Final = 0.4

#: Shorter texts are left to py3langid, because CLD2 fails on one in eight of them.
_CLD2_FROM: Final = 64
#: Minimum per cent of a text in its main language; below it, a text with a second language is mixed.
_MAIN_SHARE: Final = 65
#: Characters of each of the three pieces of a long text that py3langid reads.
_PIECE: Final = 80

#: Confidence in a language that both detectors name.
_AGREED: Final = 0.5

#: Maps the detectors' codes to ISO 639-1, and merges the variants of a language.
_ISO: Final = {"iw": "he", "zh-Hant": "zh", "nn": "no", "jw": "jv"}
_COMMON: Final = frozenset({
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "no", "fi", "cs", "hu", "ro", "bg",
    "el", "tr", "ru", "uk", "ar", "he", "fa", "hi", "th", "vi", "id", "ja", "ko", "zh",
})  # fmt: skip
#: ISO 639-1. CLD2 knows more; on short tickets the rare ones are mistakes.
LANGUAGES: Final = _COMMON | {
    "sk", "sr", "hr", "sl", "et", "lv", "lt", "bn", "ta", "te", "ms", "ca", "gl", "eu", "sq", "mk",
    "is", "ga", "cy", "af", "sw", "ka", "hy", "az", "kk",
}  # fmt: skip
#: py3langid's codes for numbers, markup and identifiers.
_NO_LANGUAGE: Final = "zxx"
#: Log-odds against the other languages, which are rarer in tickets; it decides between Galician and Spanish.
_RARITY: Final = 4.0


class Detector(Protocol):
    """Guesses a text's language."""

    def classify(self, text: str) -> tuple[str, float] | None:
        """ISO 639-1 code of the text's main language, and a confidence from 0 to 1; None if it can't tell."""
        ...


class CompactDetector:
    """Google's Compact Language Detector 2, with py3langid for short texts and for those that CLD2 can't classify."""

    def classify(self, text: str) -> tuple[str, float] | None:
        """See `Detector`."""
        try:
            reliable, _bytes, found = pycld2.detect(text, isPlainText=True)
        except pycld2.error:  # input that CLD2 rejects
            return None
        (_name, cld2, share, _score), (_, _, second_share, _), *_ = found
        cld2 = _ISO.get(cld2, cld2)
        if len(text) >= _CLD2_FROM:
            if reliable and share >= _MAIN_SHARE:
                return cld2, share / 100
            if second_share > 100 - _MAIN_SHARE:
                return None  # mixed
            middle = (len(text) - _PIECE) // 2
            text = f"{text[:_PIECE]} {text[middle : middle + _PIECE]} {text[-_PIECE:]}"
        code, confidence = load_short_texts().classify(text)
        code = _ISO.get(code, code)
        if reliable and code == cld2:
            confidence = max(confidence, _AGREED)
        return None if code == _NO_LANGUAGE else (code, confidence)


_loading: Final = threading.Lock()


def load_short_texts() -> LanguageIdentifier:
    """py3langid, limited to our languages. The first call takes half a second and 90 MB; other threads wait for it."""
    with _loading:
        return _load()


@cache
def _load() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([*LANGUAGES, "nn", _NO_LANGUAGE])
    rare = np.array([code not in _COMMON for code in identifier.nb_classes])
    identifier.nb_pc = identifier.nb_pc - _RARITY * rare.astype(np.float32)
    # A text's rows are then read as a whole: choosing columns has left each row's values 200 kB apart.
    identifier.nb_ptc = np.ascontiguousarray(identifier.nb_ptc)
    return identifier


def detect_language(items: Sequence[Ticket], *, detector: Detector) -> list[EnrichedTicket | Rejected]:
    """Label each ticket with its language, if its text is long and clear enough."""
    return [
        EnrichedTicket(item, language=None if item.content is None else _language(item.content, detector))
        for item in items
    ]


def _language(content: UpsertEvent, detector: Detector) -> Label | None:
    text = own_words(content)
    if len(text) < _MAX_COUNTED and len("".join(filter(str.isalpha, text)).encode()) < _MIN_BYTES:
        return None
    found = detector.classify(text)
    if found is None or found[0] not in LANGUAGES or found[1] < _MIN_CONFIDENCE:
        return None
    return Label(*found)
