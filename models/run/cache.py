"""Cache of vectors: a ticket whose status changes keeps its text, and so its vectors."""

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
    """Implements `core.protocols.Embedder` over another one, with an LRU cache of recent texts. Thread-safe.

    A cache belongs to one embedder, so it never returns another model's vectors.
    """

    def __init__(self, embedder: Embedder, *, texts: int, on_lookup: Callable[[int, int], None]) -> None:
        """Keep at most `texts` vectors; `on_lookup` is called with the hits and misses of each call."""
        self._embedder = embedder
        self._max_texts = texts
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
        """float32[len(texts), dimension]. Passages are looked up first; queries always go through the model."""
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
            self._keep([(keys[row], found[row].copy()) for row in missing])
        self._on_lookup(len(texts) - len(missing), len(missing))
        return found

    def _keep(self, items: Sequence[tuple[bytes, Vector]]) -> None:
        with self._lock:
            self._vectors.update(items)
            while len(self._vectors) > self._max_texts:
                self._vectors.popitem(last=False)
