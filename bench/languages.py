"""Compares built-in models: finding a sentence's English original, finding an English question's intent, and speed.

    python -m bench.languages [MODEL...]

bench/sentences/support.json has twenty sentences of support tickets in thirteen languages, translated for this test.
Each question must find its English original among the twenty and the queries of banking77; and a question in English
must find its translation among the twenty of that language. Speed is measured on the synthetic tickets' passages,
the models in turns.
"""

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np

from bench.corpus import BANKING77, SYNTHETIC, NoCorpusError, texts
from core.environment import load_settings
from core.protocols import Embedder
from core.records import Vector
from models.open import load_embedder

_SENTENCES: Final = Path(__file__).parent / "sentences" / "support.json"
_MODELS: Final = ("all-MiniLM-L6-v2", "multilingual-e5-small-q4")
_ENGLISH: Final = "en"
_PASSAGES: Final = 600
_DISTRACTORS: Final = 3_000
_ROUNDS: Final = 3


def main(names: list[str]) -> None:
    """Print the tables."""
    sentences: dict[str, list[str]] = json.loads(_SENTENCES.read_text("utf-8"))
    models = {name: _open(name) for name in names}
    print(f"share of the twenty found first; {'  '.join(names)}")
    found = {name: _find(model, sentences) for name, model in models.items()}
    for language in sentences:
        shares = "   ".join(f"{to:.2f} {back:.2f}" for to, back in (found[name][language] for name in names))
        print(f"  {language}  to English among {_DISTRACTORS:,} more, from English: {shares}")
    for name, tokens in _speed(models).items():
        print(f"{name}: {tokens[0]:,.0f} passages/s, {tokens[1]:,.0f} words/s")


def _open(name: str) -> Embedder:
    return load_embedder(load_settings().model.model_copy(update={"name": name}))


def _find(model: Embedder, sentences: dict[str, list[str]]) -> dict[str, tuple[float, float]]:
    """By language: the share of sentences that find their original, and of originals that find their translation."""
    english = model.embed(sentences[_ENGLISH])
    others = np.concatenate([english, model.embed(_distractors(model))])
    asked = model.embed(sentences[_ENGLISH], kind="query")
    return {
        language: (
            _first(model.embed(of, kind="query"), others),
            _first(asked, model.embed(of)),
        )
        for language, of in sentences.items()
    }


def _first(questions: Vector, passages: Vector) -> float:
    return float(np.mean((questions @ passages.T).argmax(axis=1) == np.arange(len(questions))))


def _distractors(model: Embedder) -> list[str]:
    try:
        return texts(BANKING77, _DISTRACTORS, model)
    except NoCorpusError:
        return texts(SYNTHETIC, _DISTRACTORS, model)


def _speed(models: dict[str, Embedder]) -> dict[str, tuple[float, float]]:
    """Passages and words per second of each model."""
    some = texts(SYNTHETIC, _PASSAGES, next(iter(models.values())))
    words = sum(len(text.split()) for text in some)
    took: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(_ROUNDS):
        for name, model in models.items():
            began = time.perf_counter()
            model.embed(some)
            took[name].append(time.perf_counter() - began)
    return {name: (len(some) / statistics.median(s), words / statistics.median(s)) for name, s in took.items()}


if __name__ == "__main__":
    main(sys.argv[1:] or list(_MODELS))
