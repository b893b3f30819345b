"""Implements `core.sessions.Endings` in this process, which forgets them when it ends."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from core.sessions import Ending

#: Beyond it the ends that were put first are forgotten. A user can end few sign-ins: each needs a valid token.
MAX_ENDINGS: Final = 100_000


class MemoryEndings:
    """See `core.sessions.Endings`."""

    blocking = False

    def __init__(self, *, size: int = MAX_ENDINGS) -> None:
        """Nothing has ended yet; at most `size` ends are kept."""
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Ending] = OrderedDict()

    def put(self, ending: Ending, *, now_ms: int) -> None:
        """See `Endings`."""
        with self._lock:
            kept = self._kept.get(ending.key)
            if kept is not None and kept.expires_ms > now_ms:
                until_ms, expires_ms = max(kept.until_ms, ending.until_ms), max(kept.expires_ms, ending.expires_ms)
                ending = Ending(ending.key, until_ms, expires_ms)
            self._kept[ending.key] = ending
            self._kept.move_to_end(ending.key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def find(self, keys: Sequence[str], *, now_ms: int) -> Sequence[Ending]:
        """See `Endings`."""
        with self._lock:
            found = [self._kept.get(key) for key in keys]
        return [one for one in found if one is not None and one.expires_ms > now_ms]

    def close(self) -> None:
        """See `Endings`."""
