"""The ids of points that were written while a copy of their shard was indexed."""

from collections.abc import Iterable


class ChangedPoints:
    """Records ids between `start` and `stop`. Only `stop` may be called while a write is running."""

    def __init__(self) -> None:
        self._ids: set[str] | None = None

    def start(self) -> None:
        """Record from now on."""
        self._ids = set()

    def add(self, ids: Iterable[str]) -> None:
        """Note ids that are about to be written."""
        recorded = self._ids
        if recorded is not None:
            recorded.update(ids)

    def take(self) -> list[str]:
        """The ids since the last call, in order."""
        ids, self._ids = self._ids, set()
        return sorted(ids or ())

    def stop(self) -> None:
        """Stop recording, and forget the recorded ids."""
        self._ids = None
