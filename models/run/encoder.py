"""Texts to vectors through ONNX Runtime, on every core or on a GPU, with as few padded tokens as can be."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from core.cpu import read_cpu
from core.protocols import TextKind
from core.records import Vector
from core.threads import step_back
from models.device import Device
from models.precision import require_suited
from models.run.batching import split
from models.run.session import Session, open_sessions
from models.run.tokenise import TextTokenizer, load_tokenizer
from models.run.tuning import DEFAULT, SCALES, Tuning, find_tuning, tune
from models.store.artefact import Artefact

#: Told the tokens of a batch, the padding beside them, and the seconds it took.
OnBatch = Callable[[int, int, float], None]


class OnnxEmbedder:
    """Implements `core.protocols.Embedder`. Batches are cut to cost least, and run longest first."""

    def __init__(
        self,
        artefact: Artefact,
        tokenizer: Path,
        *,
        device: Device = "cpu",
        threads: int | None = None,
        tuning: Tuning | None = DEFAULT,
        on_batch: OnBatch | None = None,
    ) -> None:
        """Load the graph.

        Args:
            artefact: a verified graph.
            tokenizer: its tokenizer's file.
            device: where it runs.
            threads: sessions on the CPU; None: one per core.
            tuning: the scheduler's constants; None: those of this machine, measured the first time.
            on_batch: told of each run.

        Raises:
            ConfigError: the graph is made for another device, or CUDA can't be loaded.
        """
        require_suited(artefact.manifest.precision, device)
        self._manifest = artefact.manifest
        self._on_batch = on_batch
        self._cut = load_tokenizer(tokenizer, max_length=self._manifest.max_length)
        manifest = self._manifest
        self._prefixes: dict[TextKind, str] = {"passage": manifest.passage_prefix, "query": manifest.query_prefix}
        self._tokenizer = TextTokenizer(
            tokenizer, max_length=manifest.max_length, prefixes=list(self._prefixes.values())
        )
        cpu = read_cpu()
        sessions = open_sessions(artefact.graph, device, threads=threads or cpu.cores)
        self._sessions: SimpleQueue[Session] = SimpleQueue()
        for session in sessions:
            self._sessions.put(session)
        self._tuning = tuning or find_tuning(
            artefact.graph.parent, device, cpu, lambda: tune(self._timed, SCALES[device], longest=manifest.max_length)
        )
        self._pool = ThreadPoolExecutor(len(sessions), thread_name_prefix="model", initializer=step_back)
        self._open_asking: Callable[[], list[Session]] | None = partial(
            open_sessions, artefact.graph, device, threads=1
        )
        self._asking: SimpleQueue[Session] = SimpleQueue()
        self._asked = Lock()

    @property
    def dimension(self) -> int:
        """Size of a vector."""
        return self._manifest.dimension

    @property
    def max_tokens(self) -> int:
        """See `core.protocols.Embedder`."""
        return self._tokenizer.max_tokens

    @property
    def stamp(self) -> str:
        """See `core.protocols.Embedder`."""
        return self._manifest.stamp

    def spans(self, texts: Sequence[str]) -> Sequence[Sequence[tuple[int, int]]]:
        """See `core.protocols.Tokenizer`."""
        return self._tokenizer.spans(texts)

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        """float32[len(texts), dimension]; a text beyond `max_tokens` is cut."""
        found = np.empty((len(texts), self.dimension), np.float32)
        prefix = self._prefixes[kind]
        read = [prefix + text for text in texts] if prefix else list(texts)
        ids = [np.array(e.ids, np.int32) for e in self._cut.encode_batch_fast(read)]
        batches = split([len(i) for i in ids], budget=self._tuning.budget_tokens, overhead=self._tuning.overhead_tokens)
        if kind == "query" or len(batches) == 1:  # a text alone takes the shortest way
            sessions = self._for_questions() if kind == "query" else self._sessions
            for batch in batches:
                found[batch] = self._run([ids[at] for at in batch], sessions)
            return found
        runs = [(batch, self._pool.submit(self._run, [ids[at] for at in batch], self._sessions)) for batch in batches]
        for batch, run in runs:
            found[batch] = run.result()
        return found

    def _timed(self, texts: int, length: int) -> float:
        """Seconds of one run in one session, of no text in particular."""
        session, ids = self._sessions.get(), np.ones((length, texts), np.int32)
        began = time.perf_counter()
        session.run(ids, ids)
        seconds = time.perf_counter() - began
        self._sessions.put(session)
        return seconds

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown()

    def _for_questions(self) -> "SimpleQueue[Session]":
        """A session beside the others, loaded with the first question: a batch keeps them for tens of milliseconds.

        The system's scheduler lets a thread that has slept go first, so a question's few tokens hardly wait.
        """
        with self._asked:
            if self._open_asking is not None:
                self._asking.put(self._open_asking()[0])
                self._open_asking = None
        return self._asking

    def _run(self, ids: Sequence[NDArray[np.int32]], sessions: "SimpleQueue[Session]") -> Vector:
        """float32[len(ids), dimension] of one batch."""
        lengths = np.array([len(i) for i in ids])
        mask = np.arange(lengths.max())[:, None] < lengths  # [S, B]
        padded = np.zeros(mask.shape, np.int32)
        padded.T[mask.T] = np.concatenate(ids)
        session = sessions.get()
        began = time.perf_counter()
        try:
            vectors = session.run(padded, mask.astype(np.int32))
        finally:
            sessions.put(session)
        if self._on_batch is not None:
            tokens = int(lengths.sum())
            self._on_batch(tokens, mask.size - tokens, time.perf_counter() - began)
        return vectors
