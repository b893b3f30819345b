"""Texts to vectors through ONNX Runtime, on every core or on a GPU, with as little padding as possible."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

import numpy as np

from core.cpu import read_cpu
from core.protocols import ModelTokenizer, TextKind
from core.records import Vector
from core.threads import lower_priority
from models.device import Device
from models.precision import require_precision_for_device
from models.run.batching import split
from models.run.session import Ids, Session, open_session, open_sessions
from models.run.tokenise import InputTokenizer, TextTokenizer, load_tokenizer
from models.run.tuning import DEFAULT, SCALES, Tuning, find_tuning, tune
from models.run.word_table import find_words
from models.store.artefact import Artefact, Manifest

#: Called after each run of the model with its tokens, its padding tokens and its seconds.
OnBatch = Callable[[int, int, float], None]


def open_onnx_embedder(
    artefact: Artefact,
    tokenizer: Path,
    *,
    device: Device = "cpu",
    threads: int | None = None,
    tuning: Tuning | None = DEFAULT,
    on_batch: OnBatch | None = None,
) -> "OnnxEmbedder":
    """Open the sessions of a graph and its tokenizer.

    Args:
        artefact: a verified graph.
        tokenizer: its tokenizer's verified file.
        device: where the graph runs.
        threads: concurrent calls on the CPU; None: one per core.
        tuning: the batching parameters; None: those kept for this machine, measured if there are none.
        on_batch: called after each run.

    Raises:
        ConfigError: the graph is made for another device, or CUDA can't be loaded.
    """
    manifest, cpu = artefact.manifest, read_cpu()
    require_precision_for_device(manifest.precision, device)
    prefixes = (manifest.passage_prefix, manifest.query_prefix)
    whole, length = load_tokenizer(tokenizer), manifest.max_length
    words = find_words(whole)
    sessions = open_sessions(artefact.graph, device, threads=threads or cpu.cores)
    if tuning is None:
        measure = partial(tune, partial(_timed_run, sessions[0]), SCALES[device], longest=length)
        tuning = find_tuning(artefact.graph.parent, device, cpu, measure)
    return OnnxEmbedder(
        manifest,
        TextTokenizer(whole, max_length=length, prefixes=prefixes, words=words),
        InputTokenizer(load_tokenizer(tokenizer, max_length=length), max_length=length, words=words),
        sessions=sessions,
        open_query_session=partial(open_session, artefact.graph, device) if device == "cuda" else lambda: sessions[0],
        pool=ThreadPoolExecutor(len(sessions), thread_name_prefix="model", initializer=lower_priority),
        tuning=tuning,
        on_batch=on_batch,
    )


class OnnxEmbedder:
    """Implements `core.protocols.Embedder`. Batches minimise the total cost; those of long texts run first."""

    def __init__(
        self,
        manifest: Manifest,
        tokenizer: ModelTokenizer,
        input_tokenizer: InputTokenizer,
        *,
        sessions: Sequence[Session],
        open_query_session: Callable[[], Session],
        pool: ThreadPoolExecutor,
        tuning: Tuning,
        on_batch: OnBatch | None = None,
    ) -> None:
        """Take what `open_onnx_embedder` has opened.

        Args:
            manifest: of the graph.
            tokenizer: for spans; it truncates nothing.
            input_tokenizer: for vectors; it cuts at the model's maximum length.
            sessions: for passages.
            open_query_session: gives the session for queries; called by the first one.
            pool: runs the batches of a call at once, a thread per session.
            tuning: the batching parameters.
            on_batch: called after each run.
        """
        self._manifest = manifest
        self._tokenizer = tokenizer
        self._input_tokenizer = input_tokenizer
        self._prefixes: dict[TextKind, str] = {"passage": manifest.passage_prefix, "query": manifest.query_prefix}
        self._sessions: SimpleQueue[Session] = SimpleQueue()
        for session in sessions:
            self._sessions.put(session)
        self._open_query_session = open_query_session
        self._query_sessions: SimpleQueue[Session] | None = None
        self._query_lock = Lock()
        self._pool = pool
        self._tuning = tuning
        self._on_batch = on_batch

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
        """float32[len(texts), dimension]; texts longer than `max_tokens` are truncated."""
        found = np.empty((len(texts), self.dimension), np.float32)
        prefix = self._prefixes[kind]
        prefixed = [prefix + text for text in texts] if prefix else list(texts)
        ids = self._input_tokenizer.ids(prefixed)
        batches = split([len(i) for i in ids], budget=self._tuning.budget_tokens, overhead=self._tuning.overhead_tokens)
        if kind == "query" or len(batches) == 1:  # in this thread, because a handover would take longer
            sessions = self._for_queries() if kind == "query" else self._sessions
            for batch in batches:
                found[batch] = self._run([ids[at] for at in batch], sessions)
            return found
        runs = [(batch, self._pool.submit(self._run, [ids[at] for at in batch], self._sessions)) for batch in batches]
        for batch, run in runs:
            found[batch] = run.result()
        return found

    def close(self) -> None:
        """Shut the thread pool down."""
        self._pool.shutdown()

    def _for_queries(self) -> "SimpleQueue[Session]":
        """The session for queries, because batches may occupy the others for tens of milliseconds.

        The kernel's scheduler favours a thread that has slept, so a query's few tokens hardly wait.
        """
        with self._query_lock:
            if self._query_sessions is None:
                opened: SimpleQueue[Session] = SimpleQueue()
                opened.put(self._open_query_session())
                self._query_sessions = opened
            return self._query_sessions

    def _run(self, ids: Sequence[Ids], sessions: "SimpleQueue[Session]") -> Vector:
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


def _timed_run(session: Session, texts: int, length: int) -> float:
    """Seconds of one run with synthetic ids."""
    ids = np.ones((length, texts), np.int32)
    began = time.perf_counter()
    session.run(ids, ids)
    return time.perf_counter() - began
