"""Sends feedback from its store to the topic at least once, in a thread, and retries until the broker has it.

One of several processes sends at a time. If two do, because one was delayed, a verdict may be sent again after its
replacement, so readers of the topic must take the verdict with the latest `at_ms`.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from random import Random
from typing import Final, Protocol

import msgspec

from connectors.kafka.producer import Outgoing, Sender
from core.contract import record_key
from core.errors import RefusedError, TicketstreamError, TransientError
from core.feedback import FeedbackStore, Unsent
from delivery.backoff import Backoff
from delivery.lease import Lease
from runtime.sender import ReopeningSender

logger: Final = logging.getLogger("ticketstream.feedback")

_PAGE: Final = 200
_IDLE_S: Final = 1.0
_BACKOFF_MAX_S: Final = 30.0
#: How long a close waits for the thread. A send to a broker that doesn't answer takes longer, and ends with the
#: process.
_JOIN_S: Final = 5.0


class Send(Protocol):
    """Sends records durably. Returns the errors of those that are too large, by their position in `records`."""

    def __call__(self, records: Sequence[Outgoing], /) -> dict[int, RefusedError]:
        """See `connectors.kafka.producer.Sender.offer`."""
        ...


class FeedbackRelay:
    """Sends what the store has not marked as sent, oldest first."""

    def __init__(
        self, store: FeedbackStore, send: Send, *, topic: str, owner: str, clock: Callable[[], float] = time.time
    ) -> None:
        """A relay; `owner` is unique among all relays of the store, and `clock` has seconds since the epoch."""
        self._store = store
        self._send = send
        self._topic = topic
        self._lease = Lease(store, owner=owner, clock=clock)
        self._stop = threading.Event()
        self._backoff = Backoff(cap_s=_BACKOFF_MAX_S, rng=Random())  # noqa: S311 - jitter, not a secret
        #: The number of verdicts that the last attempt found unsent, and the reason why they still are, or None.
        self.waiting = 0
        self.fault: str | None = None

    def run(self, *, idle_s: float = _IDLE_S) -> None:
        """Send until `end`; look again after `idle_s` seconds."""
        attempt = 0
        while not self._stop.is_set():
            try:
                more = self.run_once()
            except Exception as error:  # noqa: BLE001 - the thread must go on
                wait_s = self._backoff.delay_s(attempt, error if isinstance(error, TransientError) else None)
                # a message that isn't ours may quote a customer
                why = str(error) if isinstance(error, TicketstreamError) else f"a bug ({type(error).__name__})"
                logger.warning("feedback was not sent; the next attempt is in %.1f s: %s", wait_s, why)
                self.fault = f"verdicts wait for {self._topic}: {why}"
                attempt += 1
                self._stop.wait(wait_s)
            else:
                attempt, self.fault = 0, None
                if not more:
                    self._stop.wait(idle_s)
        try:
            self._lease.release()
        except TicketstreamError as error:
            logger.warning("the lease was not given back, and ends by itself: %s", error)

    def run_once(self) -> bool:
        """Send a page, unless another process does. Returns whether there may be more to send.

        Raises:
            TransientError: the store or the broker is unavailable; what was sent may be sent again.
            FatalError: the broker refuses, or the topic is missing.
        """
        unsent = self._store.unsent(_PAGE)
        self.waiting = len(unsent)
        if unsent and not self._lease.held():
            return False
        if unsent:
            refused = self._send([self._record(one) for one in unsent])
            for place, error in refused.items():
                logger.error("the topic refuses feedback %s, which stays in the table: %s", unsent[place].row_id, error)
            self._store.mark_sent([one.row_id for one in unsent])
            self.waiting = 0
        return len(unsent) == _PAGE

    def end(self) -> None:
        """Make `run` return."""
        self._stop.set()

    def _record(self, one: Unsent) -> Outgoing:
        answer = one.feedback.answer
        return Outgoing(self._topic, record_key(answer.tenant_id, answer.answer_id), msgspec.json.encode(one.feedback))


def open_relay(
    store: FeedbackStore,
    open_sender: Callable[[ExitStack], Sender],
    stack: ExitStack,
    *,
    topic: str,
    owner: str,
    idle_s: float = _IDLE_S,
) -> FeedbackRelay:
    """A relay in a thread, which `stack` ends. It reads the store every `idle_s` seconds."""
    sender = ReopeningSender(open_sender)

    def send(records: Sequence[Outgoing], /) -> dict[int, RefusedError]:
        with sender.using() as opened:
            return opened.offer(records)

    relay = FeedbackRelay(store, send, topic=topic, owner=owner)
    thread = threading.Thread(target=partial(relay.run, idle_s=idle_s), name="feedback", daemon=True)
    stack.callback(sender.close)
    stack.callback(thread.join, _JOIN_S)
    stack.callback(relay.end)
    thread.start()
    return relay
