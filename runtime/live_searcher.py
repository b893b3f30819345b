"""A searcher that is opened in the background, and reopened after the loss of its worker or index."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final, TypeVar

from core.errors import OtherModelError, TicketstreamError, UnavailableError
from core.index import SearchQuery, Thread
from core.settings import Settings
from runtime.control import WorkerStatus
from runtime.searcher import Searcher, find_worker, open_searcher
from search.result import Answer

logger: Final = logging.getLogger("ticketstream.search")

_RETRY_S: Final = 1.0
_STARTING: Final = "the index is being opened"

T = TypeVar("T")


class LiveSearcher:
    """Implements `runtime.searcher.Searcher` by another searcher, which is opened whenever there is none."""

    def __init__(self, open_: Callable[[ExitStack], Searcher], *, retry_s: float = _RETRY_S) -> None:
        """Open searchers with `open_`, at most every `retry_s` seconds."""
        self._open = open_
        self._retry_s = retry_s
        self._held: Searcher | None = None
        self._fault: str | None = _STARTING
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ended = threading.Event()

    @property
    def fault(self) -> str | None:
        """The reason why there is no searcher now, or None."""
        return self._fault

    def search(self, text: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        """See `Searcher`."""
        return self._ask(lambda held: held.search(text, query, plain=plain))

    def similar(self, ticket_id: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        """See `Searcher`."""
        return self._ask(lambda held: held.similar(ticket_id, query, plain=plain))

    def threads(self, tenant_id: str, ticket_ids: Sequence[str], *, public_only: bool = False) -> tuple[Thread, ...]:
        """See `Searcher`."""
        return self._ask(lambda held: held.threads(tenant_id, ticket_ids, public_only=public_only))

    def warning(self) -> str | None:
        """See `Searcher`."""
        return self._ask(lambda held: held.warning())

    def status(self) -> WorkerStatus:
        """See `Searcher`."""
        return self._ask(lambda held: held.status())

    def run(self) -> None:
        """Open searchers until `end`."""
        while not self._ended.is_set():
            self._wake.clear()
            with ExitStack() as stack:
                if self._opened(stack):
                    self._wake.wait()
                    self._ended.wait(self._retry_s)  # let calls in flight fail by themselves before it is closed
                else:
                    self._ended.wait(self._retry_s)

    def end(self) -> None:
        """Make `run` return."""
        self._ended.set()
        self._wake.set()

    def _opened(self, stack: ExitStack) -> bool:
        try:
            held = self._open(stack)
            held.status()  # it answers
        except TicketstreamError as error:
            self._note(str(error))
            return False
        except Exception as error:  # noqa: BLE001 - the thread must go on; a message that isn't ours may quote a ticket
            self._note(f"the index can't be opened ({type(error).__name__})")
            return False
        with self._lock:
            self._held, self._fault = held, None
        logger.info("the index answers")
        return True

    def _ask(self, ask: Callable[[Searcher], T]) -> T:
        held = self._held
        if held is None:
            raise UnavailableError(self._fault or _STARTING)
        try:
            return ask(held)
        except (OtherModelError, UnavailableError) as error:
            self._lose(held, str(error))
            raise

    def _lose(self, held: Searcher, reason: str) -> None:
        """Let `held` be replaced, unless that is happening already."""
        with self._lock:
            if self._held is not held:
                return
            self._held = None
        self._note(reason)
        self._wake.set()

    def _note(self, reason: str) -> None:
        if reason != self._fault:
            logger.warning("searches are refused for now: %s", reason)
        self._fault = reason


def open_live_searcher(settings: Settings, stack: ExitStack) -> LiveSearcher:
    """A searcher of the index that the settings name, which need not exist yet; `stack` ends it.

    An embedded index is searched only through its worker.
    """
    return start_live_searcher(lambda own: _open(settings, own), stack)


def start_live_searcher(
    open_: Callable[[ExitStack], Searcher], stack: ExitStack, *, retry_s: float = _RETRY_S
) -> LiveSearcher:
    """A live searcher that opens searchers with `open_`, in a thread that `stack` ends."""
    searcher = LiveSearcher(open_, retry_s=retry_s)
    thread = threading.Thread(target=searcher.run, name="searcher", daemon=True)
    thread.start()
    stack.callback(thread.join, _RETRY_S)
    stack.callback(searcher.end)
    return searcher


def _open(settings: Settings, stack: ExitStack) -> Searcher:
    if settings.index.url is not None:
        return open_searcher(settings, stack)
    worker = find_worker(settings.index)
    if worker is None:
        raise UnavailableError(
            f"no worker has the index in {settings.index.path} open; start one, or set TICKETS_INDEX__PATH to its index"
        )
    return worker
