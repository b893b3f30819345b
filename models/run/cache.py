"""Vectors of texts seen before: a ticket whose status changed has the text it had, and so the vectors."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import blake2b
from threading import Lock
from typing import Final

import numpy as np

from core.protocols import Embedder, TextKind
from core.records import Vector

_DIGEST_BYTES: Final = 16


class CachingEmbedder:
    """Implements `core.protocols.Embedder` over another, remembering the vectors of the last texts. Thread-safe.

    It lives as long as its embedder, so a vector of another model is never found in it.
    """

    def __init__(self, embedder: Embedder, *, texts: int, on_lookup: Callable[[int, int], None]) -> None:
        """Remember at most `texts` vectors; `on_lookup` is told the hits and misses of each call."""
        self._embedder = embedder
        self._most = texts
        self._on_lookup = on_lookup
        self._lock = Lock()
        self._vectors: OrderedDict[bytes, Vector] = OrderedDict()

    @property
    def dimension(self) -> int:
        """See `Embedder`."""
        return self._embedder.dimension

    @property
    def max_tokens(self) -> int:
        """See `Embedder`."""
        return self._embedder.max_tokens

    @property
    def stamp(self) -> str:
        """See `Embedder`."""
        return self._embedder.stamp

    def spans(self, texts: Sequence[str]) -> Sequence[Sequence[tuple[int, int]]]:
        """See `core.protocols.Tokenizer`."""
        return self._embedder.spans(texts)

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        """float32[len(texts), dimension]; only passages not remembered go through the model, and questions."""
        if kind != "passage":
            return self._embedder.embed(texts, kind)
        keys = [blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest() for text in texts]
        found = np.empty((len(texts), self.dimension), np.float32)
        missing = []
        with self._lock:
            for row, key in enumerate(keys):
                vector = self._vectors.get(key)
                if vector is None:
                    missing.append(row)
                else:
                    self._vectors.move_to_end(key)
                    found[row] = vector
        if missing:
            found[missing] = self._embedder.embed([texts[row] for row in missing])
            self._remember([(keys[row], found[row].copy()) for row in missing])
        self._on_lookup(len(texts) - len(missing), len(missing))
        return found

    def _remember(self, items: Sequence[tuple[bytes, Vector]]) -> None:
        with self._lock:
            self._vectors.update(items)
            while len(self._vectors) > self._most:
                self._vectors.popitem(last=False)
