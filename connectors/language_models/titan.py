"""Amazon Titan Text Embeddings V2 on Bedrock as an embedder, with concurrent calls and retries."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from random import Random
from threading import Event, Lock
from typing import Final

import numpy as np

from connectors.language_models.titan_calls import PROBE, OnCall, TitanCalls, open_titan_calls, titan_stamp
from connectors.language_models.transport import open_transport
from core.errors import ConfigError, FatalError, RefusedError, RefusedTextsError, TicketstreamError, TransientError
from core.language_model import ModelError, ModelErrorKind
from core.protocols import ModelTokenizer, TextKind
from core.records import Vector
from core.vectors import vector_fault
from delivery.backoff import Backoff

#: Maximum time of a text, retries included, and to connect.
_TIMEOUT_S: Final = 10.0
_CONNECT_TIMEOUT_S: Final = 2.0
_RETRIED: Final[frozenset[ModelErrorKind]] = frozenset({"throttled", "unavailable", "cut_off", "failed"})
#: Attempts after failures other than throttling, which is retried as long as there is time.
_ATTEMPTS: Final = 3
_BACKOFF_MAX_S: Final = 2.0
#: Maximum vectors that failed batches leave for their next attempt: those of four batches of 2,048 texts.
_KEPT_VECTORS: Final = 8_192


def open_titan_embedder(
    stack: ExitStack,
    *,
    dimension: int,
    region: str | None,
    max_concurrent_calls: int,
    tokenizer: ModelTokenizer,
    on_call: OnCall | None = None,
    on_text: Callable[[], None] | None = None,
    timeout_s: float = _TIMEOUT_S,
) -> "TitanEmbedder":
    """Open the client without a call.

    Args:
        stack: ends the calls, and closes the client.
        dimension: size of a vector: 256, 512 or 1024.
        region: of Bedrock; None: that of the environment or profile.
        max_concurrent_calls: for passages. Queries are embedded on their caller's thread.
        tokenizer: for spans, as the model's own isn't published.
        on_call: called after each call, on any thread.
        on_text: called by `embed` on its caller's thread after each passage.
        timeout_s: maximum time of a text, retries included.

    Raises:
        ConfigError: there is no region, or boto3's own settings are wrong.
    """
    transport = open_transport(stack, connect_timeout_s=_CONNECT_TIMEOUT_S)
    stop = Event()
    calls = open_titan_calls(
        transport,
        region=region,
        dimension=dimension,
        stop=stop,
        on_call=on_call or (lambda _tokens, _padding, _seconds: None),
    )
    pool = ThreadPoolExecutor(max_concurrent_calls, thread_name_prefix="titan")
    stack.callback(pool.shutdown, wait=False)
    stack.callback(stop.set)
    return TitanEmbedder(
        calls,
        dimension=dimension,
        tokenizer=tokenizer,
        pool=pool,
        stop=stop,
        on_text=on_text or (lambda: None),
        timeout_s=timeout_s,
    )


class TitanEmbedder:
    """Implements `core.protocols.Embedder`. Queries and passages are embedded alike.

    If a call fails, `embed` fails and keeps the vectors that it has got; its repetition asks only for the others. So a
    batch that exceeds Bedrock's quota is embedded in the end.
    """

    def __init__(
        self,
        calls: TitanCalls,
        *,
        dimension: int,
        tokenizer: ModelTokenizer,
        pool: ThreadPoolExecutor,
        stop: Event,
        on_text: Callable[[], None],
        timeout_s: float,
    ) -> None:
        """Take what `open_titan_embedder` has opened; `stop` ends every wait."""
        self.dimension = dimension
        self.stamp = titan_stamp(dimension)
        self.max_tokens = tokenizer.max_tokens
        self._calls = calls
        self._tokenizer = tokenizer
        self._pool = pool
        self._stop = stop
        self._on_text = on_text
        self._timeout_s = timeout_s
        self._backoff = Backoff(cap_s=_BACKOFF_MAX_S, rng=Random())  # noqa: S311 - jitter, not a secret
        self._kept = _KeptVectors()

    def spans(self, texts: Sequence[str]) -> Sequence[Sequence[tuple[int, int]]]:
        """See `core.protocols.Tokenizer`."""
        return self._tokenizer.spans(texts)

    def check(self) -> None:
        """Call the model once.

        Raises:
            ConfigError: this process can't call it, or not with these settings.
            TransientError: an outage.
        """
        try:
            self._vector(PROBE, Event())
        except FatalError as error:
            raise ConfigError(str(error)) from None

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        """float32[len(texts), dimension]; texts of more than 8,000 bytes are truncated.

        A passage whose vector is zero or not finite gets it as it is.

        Raises:
            TransientError: an outage, or too many calls.
            RefusedTextsError: the model refuses some of the passages.
            ConfigError: it refuses a query.
            FatalError: this process can't call it.
        """
        if kind == "query":
            return self._stacked([self._query(text) for text in texts])
        found = self._kept.take(texts)
        found |= self._passages([text for text in dict.fromkeys(texts) if text not in found], found)
        return self._stacked([found[text] for text in texts])

    def _stacked(self, rows: Sequence[Vector]) -> Vector:
        return np.array(rows, np.float32).reshape(len(rows), self.dimension)

    def _query(self, text: str) -> Vector:
        try:
            vector = self._vector(text, Event())
        except RefusedError as error:
            raise ConfigError(f"the question can't be searched for by meaning: {error}") from None
        if fault := vector_fault(vector, self.dimension):
            raise TransientError(f"Amazon Bedrock gave {fault}")
        return vector

    def _passages(self, texts: Sequence[str], earlier: Mapping[str, Vector]) -> dict[str, Vector]:
        """The vectors of distinct texts. After a failure no more calls begin, and all vectors are kept."""
        failed = Event()
        calls = {text: self._pool.submit(self._attempt, text, failed) for text in texts}
        results: dict[str, Vector | TicketstreamError | None] = {}
        for text, call in calls.items():
            results[text] = call.result()
            self._on_text()
        found = {text: result for text, result in results.items() if isinstance(result, np.ndarray)}
        errors = {text: result for text, result in results.items() if isinstance(result, TicketstreamError)}
        if errors:
            self._kept.put({**earlier, **found})
            raise _decisive(errors)
        return found

    def _attempt(self, text: str, failed: Event) -> Vector | TicketstreamError | None:
        """The vector or the error; None if another text's call has failed before."""
        if failed.is_set():
            return None
        try:
            return self._vector(text, failed)
        except RefusedError as error:  # the others go on
            return error
        except TicketstreamError as error:
            failed.set()
            return error

    def _vector(self, text: str, failed: Event) -> Vector:
        """The vector of a text.

        Raises:
            RefusedError: the model refuses this text.
            FatalError: this process can't call the model.
            TransientError: an outage. It isn't retried once `failed` is set.
        """
        deadline = time.monotonic() + self._timeout_s
        attempt = 0
        while True:
            try:
                return self._calls.vector(text, deadline)
            except ModelError as error:
                if error.kind == "bad_request":
                    raise self._calls.refusal(error, time.monotonic() + self._timeout_s) from None
                wait_s = self._backoff.delay_s(attempt, error)
                attempt += 1
                again = error.kind in _RETRIED and (attempt < _ATTEMPTS or error.kind == "throttled")
                if not again or failed.is_set() or time.monotonic() + wait_s >= deadline:
                    raise self._calls.failure(error) from None
            self._stop.wait(wait_s)


class _KeptVectors:
    """The newest `_KEPT_VECTORS` vectors of failed batches, by text. Safe to use from any thread."""

    def __init__(self) -> None:
        self._vectors: OrderedDict[str, Vector] = OrderedDict()
        self._lock = Lock()

    def take(self, texts: Iterable[str]) -> dict[str, Vector]:
        """Remove and return those of `texts`."""
        with self._lock:
            return {text: self._vectors.pop(text) for text in set(texts) & self._vectors.keys()}

    def put(self, vectors: Mapping[str, Vector]) -> None:
        """Keep `vectors`."""
        with self._lock:
            self._vectors.update(vectors)
            while len(self._vectors) > _KEPT_VECTORS:
                self._vectors.popitem(last=False)


def _decisive(errors: Mapping[str, TicketstreamError]) -> TicketstreamError:
    """The error of a failed batch: one that no retry fixes, else an outage, else its refused texts."""
    refused = {text: error for text, error in errors.items() if isinstance(error, RefusedError)}
    others = [error for text, error in errors.items() if text not in refused]
    if others:
        return next((error for error in others if isinstance(error, FatalError)), others[0])
    return RefusedTextsError(str(next(iter(refused.values()))), refused)
