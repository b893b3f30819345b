"""Recent answers in memory: the least recently used ones are dropped, and none is kept too long."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

_MAX: Final = 2_000


class RecentAnswers:
    """Implements `services.rag.answering.AnswerCache` for one process."""

    def __init__(self, *, size: int = _MAX, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """See `AnswerCache`."""
        with self._lock:
            until, value = self._kept.get(key, (0.0, b""))
            if until <= self._clock():
                self._kept.pop(key, None)
                return None
            self._kept.move_to_end(key)
            return value

    def put(self, key: str, value: bytes, *, ttl_s: float) -> None:
        """See `AnswerCache`."""
        with self._lock:
            self._kept[key] = (self._clock() + ttl_s, value)
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
