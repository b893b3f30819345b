"""Sends outbox events to the topic, and runs the relay in a thread."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final

from connectors.kafka.outbox import outgoing
from core.errors import FatalError, RefusedError, TransientError
from core.ticket_store import OutboxEvent
from delivery.backoff import Backoff
from delivery.relay import Pass, Relay
from runtime.sender import ReopeningSender
from services.tickets.monitor import Monitor

logger: Final = logging.getLogger("ticketstream.tickets")

#: Seconds between two checks of an outbox that other processes may have written to.
_IDLE_S: Final = 1.0
_BACKOFF_MAX_S: Final = 3.0
#: Maximum wait for the thread's end. A send to a silent broker takes longer, and continues in its daemon thread.
_JOIN_S: Final = 5.0


class TopicSend:
    """Implements `delivery.relay.SendEvents`."""

    def __init__(self, sender: ReopeningSender, *, topic: str, monitor: Monitor) -> None:
        self._sender = sender
        self._topic = topic
        self._monitor = monitor

    def __call__(self, events: Sequence[OutboxEvent], /) -> Mapping[int, RefusedError]:
        """See `SendEvents`."""
        try:
            with self._sender.using() as sender:
                refused = sender.offer([outgoing(event, self._topic) for event in events])
        except (TransientError, FatalError) as error:
            self._monitor.note_broker(error)
            raise
        self._monitor.note_broker(None)
        return refused


class RelayThread:
    """Runs a relay whenever `wake` is called, and periodically."""

    def __init__(self, relay: Relay, *, monitor: Monitor, sent: Callable[[int], None]) -> None:
        """A thread that is not started.

        Args:
            relay: runs in the thread.
            monitor: gets the refusals of the topic.
            sent: called with the number of events that were acknowledged in a pass.
        """
        self._relay = relay
        self._monitor = monitor
        self._sent = sent
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._backoff = Backoff(cap_s=_BACKOFF_MAX_S, rng=Random())  # noqa: S311 - jitter
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def fault(self) -> str | None:
        """The fault of the thread, or None."""
        return None if self._thread.is_alive() else "The relay has ended."

    def wake(self) -> None:
        """Run the relay soon, because there is a new event."""
        self._wake.set()

    def close(self) -> None:
        """Send what is in the outbox once more, and end the thread; events that can't be sent stay in the outbox."""
        self._stop.set()
        self._wake.set()
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        attempt = 0
        while True:
            stopping = self._stop.is_set()
            self._wake.clear()
            wait_s, attempt = self._pass(attempt)
            if stopping:
                break
            if attempt:
                self._stop.wait(wait_s)
            else:
                self._wake.wait(wait_s)
        try:
            self._relay.close()
        except (TransientError, FatalError) as error:
            logger.warning("the relay's lease was not released, and will expire: %s", error)

    def _pass(self, attempt: int) -> tuple[float, int]:
        """One pass. Returns the seconds until the next one, and the number of consecutive failures."""
        try:
            done = self._relay.run_once()
        except (TransientError, FatalError) as error:
            transient = error if isinstance(error, TransientError) else None
            wait_s = self._backoff.delay_s(attempt, transient)
            logger.warning("the outbox was not sent; the next attempt is in %.1f s: %s", wait_s, error)
            return wait_s, attempt + 1
        self._done(done)
        return _IDLE_S, 0

    def _done(self, done: Pass) -> None:
        if done.sent:
            self._sent(done.sent)
        fault = None if done.reason is None else f"the topic refuses {done.refused} tickets: {done.reason}"
        if fault is not None and fault != self._monitor.refused_fault:
            logger.error("%s", fault)
        self._monitor.refused_fault = fault
