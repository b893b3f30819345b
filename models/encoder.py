"""Texts to vectors through ONNX Runtime, on every core, as few padded tokens as can be."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from core.records import Vector
from models.artefact import Artefact
from models.batching import split
from models.recipe import DISABLED_OPTIMIZERS, EMBEDDING, IDS, MASK
from models.tokenise import load_tokenizer

#: Most padded tokens of a batch, and what a call costs in tokens: best of a sweep on two cores with 1.25 MiB of L2.
BUDGET_TOKENS: Final = 512
OVERHEAD_TOKENS: Final = 8

#: Told the tokens of a batch, the padding beside them, and the seconds it took.
OnBatch = Callable[[int, int, float], None]


class OnnxEmbedder:
    """Implements `core.ports.Embedder`. One session per core, each on one thread."""

    def __init__(
        self, artefact: Artefact, tokenizer: Path, *, threads: int | None = None, on_batch: OnBatch | None = None
    ) -> None:
        self._manifest = artefact.manifest
        self._on_batch = on_batch
        self._whole = load_tokenizer(tokenizer)
        self._cut = load_tokenizer(tokenizer, max_length=self._manifest.max_length)
        self._special: int = self._whole.num_special_tokens_to_add(is_pair=False)
        self._threads = threads or len(os.sched_getaffinity(0))
        self._sessions: SimpleQueue[ort.InferenceSession] = SimpleQueue()
        for _ in range(self._threads):
            self._sessions.put(_session(artefact.graph))
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="model")

    @property
    def dimension(self) -> int:
        """Size of a vector."""
        return self._manifest.dimension

    @property
    def max_tokens(self) -> int:
        """Longest text it reads whole, special tokens not counted."""
        return self._manifest.max_length - self._special

    @property
    def stamp(self) -> str:
        """See `core.ports.Embedder`."""
        return self._manifest.stamp

    def spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """See `core.ports.Tokenizer`."""
        return [e.offsets for e in self._whole.encode_batch(list(texts), add_special_tokens=False)]

    def embed(self, texts: Sequence[str]) -> Vector:
        """float32[len(texts), dimension]; a text beyond `max_tokens` is cut."""
        found = np.empty((len(texts), self.dimension), np.float32)
        ids = [np.array(e.ids, np.int32) for e in self._cut.encode_batch_fast(list(texts))]
        batches = split([len(i) for i in ids], budget=BUDGET_TOKENS, overhead=OVERHEAD_TOKENS)
        if len(batches) == 1:  # a text alone takes the shortest way
            found[batches[0]] = self._run([ids[at] for at in batches[0]])
            return found
        runs = [(batch, self._pool.submit(self._run, [ids[at] for at in batch])) for batch in batches]
        for batch, run in runs:
            found[batch] = run.result()
        return found

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown()

    def _run(self, ids: Sequence[NDArray[np.int32]]) -> Vector:
        """float32[len(ids), dimension] of one batch."""
        lengths = np.array([len(i) for i in ids])
        mask = np.arange(lengths.max())[:, None] < lengths  # [S, B]
        padded = np.zeros(mask.shape, np.int32)
        padded.T[mask.T] = np.concatenate(ids)
        session = self._sessions.get()
        began = time.perf_counter()
        try:
            vectors: Vector = session.run([EMBEDDING], {IDS: padded, MASK: mask.astype(np.int32)})[0]
        finally:
            self._sessions.put(session)
        if self._on_batch is not None:
            tokens = int(lengths.sum())
            self._on_batch(tokens, mask.size - tokens, time.perf_counter() - began)
        return vectors


def _session(graph: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(
        graph, options, providers=["CPUExecutionProvider"], disabled_optimizers=list(DISABLED_OPTIMIZERS)
    )
