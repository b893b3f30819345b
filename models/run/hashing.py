"""An embedder without weights, for tests: texts that share words or parts of words get similar vectors."""

import re
import time
from collections.abc import Callable, Sequence
from typing import Final
from zlib import crc32

import numpy as np

from core.protocols import TextKind
from core.records import Vector

_DIMENSION: Final = 256
_MAX_TOKENS: Final = 254
_WORD: Final = re.compile(r"\w+|[^\w\s]")
_GRAM: Final = 3


class HashingEmbedder:
    """Implements `core.protocols.Embedder` by signed feature hashing (Weinberger et al. 2009) of words and trigrams."""

    dimension = _DIMENSION
    max_tokens = _MAX_TOKENS
    stamp = "hashing/1"

    def __init__(self, *, on_batch: Callable[[int, int, float], None] | None = None) -> None:
        self._on_batch = on_batch

    def spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Words and single punctuation marks."""
        return [[match.span() for match in _WORD.finditer(text)] for text in texts]

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:  # noqa: ARG002 - queries and passages are alike
        """float32[len(texts), 256], rows of norm 1."""
        began = time.perf_counter()
        found = np.zeros((len(texts), _DIMENSION), np.float32)
        tokens = 0
        for row, text in zip(found, texts, strict=True):
            words = _WORD.findall(text.lower())[:_MAX_TOKENS]
            tokens += len(words)
            row[0] = 1e-3  # so that an empty text has a direction too
            for word in words:
                _add(row, word, 1.0)
                for at in range(len(word) - _GRAM + 1):
                    _add(row, f"#{word[at : at + _GRAM]}", 0.3)
        if self._on_batch is not None:
            self._on_batch(tokens, 0, time.perf_counter() - began)
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        return found

    def close(self) -> None:
        """Nothing to release."""


def _add(row: Vector, feature: str, weight: float) -> None:
    code = crc32(feature.encode("utf-8", "surrogatepass"))
    row[code % _DIMENSION] += weight if code & 0x80000000 else -weight
