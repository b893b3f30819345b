"""A call of the client that takes no timeout: a close with no broker never returns (librdkafka's issue 3740).

Not for a call inside a callback: the client serves one thread at a time, and that one waits here.
"""

import threading
from collections.abc import Callable


def ends_within(seconds: float, call: Callable[[], object]) -> bool:
    """Whether `call`, made on a thread of its own, has returned in time; else it is left alone.

    What it raises by then is raised here.
    """
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - a thread's error would vanish
            raised.append(error)

    # A daemon: the process's end must not wait for it.
    thread = threading.Thread(target=run, name="kafka-call", daemon=True)
    thread.start()
    thread.join(seconds)
    returned = not thread.is_alive()  # looked at first: what it raises a moment later is nobody's any more
    if returned and raised:
        raise raised[0]
    return returned
