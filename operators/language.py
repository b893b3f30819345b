"""Which language a ticket is written in, with a confidence, or nothing when the text doesn't say."""

import re
from collections.abc import Sequence
from typing import Final, Protocol

import pycld2

from core.contract import UpsertEvent
from core.records import EnrichedTicket, Label, Rejected, Ticket

#: Enough to decide on; more costs time and changes no answer on our samples.
_MAX_CHARACTERS: Final = 240
_MIN_LETTERS: Final = 8
_MIN_CONFIDENCE: Final = 0.5
_PLACEHOLDER: Final = re.compile(r"\[[A-Z_]+\]")

#: Codes of CLD2 that ISO 639-1 has others for, and scripts of a language that we don't tell apart.
_ISO: Final = {"iw": "he", "zh-Hant": "zh", "nn": "no", "jw": "jv"}
#: ISO 639-1. CLD2 knows more; on short tickets the rare ones are mistakes.
LANGUAGES: Final = frozenset({
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "no", "fi", "cs", "sk", "hu", "ro",
    "bg", "el", "tr", "ru", "uk", "sr", "hr", "sl", "et", "lv", "lt", "ar", "he", "fa", "hi", "bn",
    "ta", "te", "th", "vi", "id", "ms", "ja", "ko", "zh", "ca", "gl", "eu", "sq", "mk", "is", "ga",
    "cy", "af", "sw", "ka", "hy", "az", "kk",
})  # fmt: skip


class Detector(Protocol):
    """Guesses a text's language."""

    def classify(self, text: str) -> tuple[str, float] | None:
        """ISO 639-1 code of the text's main language and the share of the text that is in it; None if it can't tell."""
        ...


class CompactDetector:
    """Google's Compact Language Detector 2: naive Bayes over four-letter sequences. Implements `Detector`."""

    def classify(self, text: str) -> tuple[str, float] | None:
        """See `Detector`."""
        try:
            reliable, _bytes, found = pycld2.detect(text, isPlainText=True)
        except pycld2.error:  # characters that it refuses
            return None
        _name, code, percent, _score = found[0]
        return (_ISO.get(code, code), percent / 100) if reliable else None


def detect_language(items: Sequence[Ticket], *, detector: Detector) -> list[EnrichedTicket | Rejected]:
    """Label each ticket with its language, where its text is long and clear enough."""
    return [
        EnrichedTicket(item, language=None if item.content is None else _language(item.content, detector))
        for item in items
    ]


def _language(content: UpsertEvent, detector: Detector) -> Label | None:
    text = _PLACEHOLDER.sub(" ", f"{content.subject}\n{content.body}"[:_MAX_CHARACTERS])
    if len(text) < _MAX_CHARACTERS and content.messages:
        text = f"{text}\n{content.messages[0].body}"[:_MAX_CHARACTERS]
    if sum(map(str.isalpha, text)) < _MIN_LETTERS:
        return None
    found = detector.classify(text)
    if found is None or found[0] not in LANGUAGES or found[1] < _MIN_CONFIDENCE:
        return None
    return Label(*found)
