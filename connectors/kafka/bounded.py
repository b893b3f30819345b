"""A time limit for client calls that take no timeout: without a broker `close` never returns (librdkafka issue 3740).

Not for use in a callback: the client serves one thread at a time, and the callback's thread would wait here.
"""

import threading
from collections.abc import Callable


def ends_within(seconds: float, call: Callable[[], object]) -> bool:
    """Run `call` on a thread of its own and return whether it ended in time; if not, it is abandoned.

    An exception that it raises in time is raised here.
    """
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - a thread's error would vanish
            raised.append(error)

    # A daemon, so that the end of the process doesn't wait for it.
    thread = threading.Thread(target=run, name="kafka-call", daemon=True)
    thread.start()
    thread.join(seconds)
    returned = not thread.is_alive()  # read before `raised`: later exceptions are ignored
    if returned and raised:
        raise raised[0]
    return returned
