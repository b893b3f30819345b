"""Calls of the client that take no timeout: a close with no broker never returns (librdkafka's issue 3740)."""

import threading
from collections.abc import Callable


class BoundedCalls:
    """Each on a thread of its own, and left alone with it where it doesn't return in time."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    @property
    def hang(self) -> bool:
        """One that was left alone has not returned yet: what it uses can't be released."""
        return any(thread.is_alive() for thread in self._threads)

    def make(self, call: Callable[[], object], *, within_s: float) -> bool:
        """Whether `call` has returned in time. What it raises by then is raised here."""
        raised: list[BaseException] = []

        def run() -> None:
            try:
                call()
            except BaseException as error:  # noqa: BLE001 - a thread's error would vanish
                raised.append(error)

        # A daemon: the process's end must not wait for it.
        thread = threading.Thread(target=run, name="kafka-call", daemon=True)
        self._threads = [*(t for t in self._threads if t.is_alive()), thread]
        thread.start()
        thread.join(within_s)
        returned = not thread.is_alive()  # looked at first: what it raises a moment later is nobody's any more
        if returned and raised:
            raise raised[0]
        return returned
