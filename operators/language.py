"""Which language a ticket is written in, with a confidence, or nothing when the text doesn't say."""

import re
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from core.contract import UpsertEvent
from core.records import EnrichedTicket, Label, Rejected, Ticket

#: Enough to decide on; more costs time and changes no answer on our samples.
_MAX_CHARACTERS: Final = 240
_MIN_LETTERS: Final = 8
_MIN_CONFIDENCE: Final = 0.5
_PLACEHOLDER: Final = re.compile(r"\[[A-Z_]+\]")

#: ISO 639-1. The model knows 140 languages and dialects; on short tickets the rare ones are mistakes.
LANGUAGES: Final = frozenset({
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "no", "fi", "cs", "sk", "hu", "ro",
    "bg", "el", "tr", "ru", "uk", "sr", "hr", "sl", "et", "lv", "lt", "ar", "he", "fa", "hi", "bn",
    "ta", "te", "th", "vi", "id", "ms", "ja", "ko", "zh", "ca", "gl", "eu", "sq", "mk", "is", "ga",
    "cy", "af", "sw", "ka", "hy", "az", "kk",
})  # fmt: skip


class Detector(Protocol):
    """Guesses a text's language."""

    def classify(self, text: str) -> tuple[str, float]:
        """ISO 639-1 code and probability of the likeliest language."""
        ...


def load_detector() -> Detector:
    """py3langid's naive Bayes model (Lui and Baldwin 2012, langid.py) over `LANGUAGES`; ships with the package."""
    detector = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    detector.set_languages([label for label in detector.labels if label in LANGUAGES])
    detector.nb_ptc = np.ascontiguousarray(detector.nb_ptc)  # set_languages leaves a view that is slow to read
    found: Detector = detector
    return found


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
    language, confidence = detector.classify(text)
    return Label(language, float(confidence)) if confidence >= _MIN_CONFIDENCE else None
