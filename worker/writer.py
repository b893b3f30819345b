"""Batches in, acks out: several in flight, and an outage is waited out, never dead-lettered.

The steps that are left, embedding first among them, run here too: while one batch is in the model another is being
written, and the polling thread reads and cleans the next.

`submit` never blocks: how much may be in flight is bounded by the credits the consumer takes before it reads.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any, Final

from core.errors import FatalError, TransientError
from core.failpoints import failpoint
from core.ports import DeadLetters, Index
from core.records import Batch, Rejected, TicketPoints
from core.settings import WriterSettings
from delivery.backoff import Backoff
from worker.progress import Progress
from worker.telemetry import Telemetry

logger: Final = logging.getLogger("ticketstream.writer")


class Writer:
    """Dead letters first, then points, then the ack: a record is acked when all of its effect is durable."""

    def __init__(
        self,
        *,
        finish: Callable[[Batch[Any]], Batch[TicketPoints | Rejected]],
        index: Index,
        dead_letters: DeadLetters,
        ack: Callable[[Any], None],
        settings: WriterSettings,
        telemetry: Telemetry,
        progress: Progress,
        rng: Random,
    ) -> None:
        self._finish = finish
        self._index = index
        self._dead_letters = dead_letters
        self._ack = ack
        self._backoff = Backoff(base_s=settings.backoff_base_s, cap_s=settings.backoff_max_s, rng=rng)
        self._telemetry = telemetry
        self._progress = progress
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="writer")
        self._fault: BaseException | None = None

    @property
    def fault(self) -> BaseException | None:
        """What no retry could mend. The batch it happened in is not acked."""
        return self._fault

    def submit(self, batch: Batch[Any]) -> None:
        """Finish and write `batch` as soon as a thread is free, then ack it."""
        self._progress.started()
        self._pool.submit(self._run, batch)

    def close(self) -> None:
        """Give up what waits for an outage to end, unacked, and wait for writes that are under way."""
        self._stopping.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, unfinished: Batch[Any]) -> None:
        try:
            batch = self._finish(unfinished)
            failpoint("after_embed")
            rejected = [item for item in batch.items if isinstance(item, Rejected)]
            tickets = [item for item in batch.items if not isinstance(item, Rejected)]
            if rejected:
                self._insist("dead_letters", lambda: self._dead_letters.publish(rejected))
                failpoint("after_dead_letter_ack")
            if tickets:
                began = time.perf_counter()
                self._insist("index", lambda: self._index.write(tickets))
                failpoint("after_response")
                self._telemetry.did("write", time.perf_counter() - began, len(tickets))
            self._telemetry.acked(tickets, rejected, int(time.time() * 1000))
            self._ack(batch.receipt)
        except _GivenUpError:
            logger.info("a batch is given up unacked; it will be read again")
        except BaseException as error:  # noqa: BLE001 - a thread's error would vanish; the poll loop raises it
            self._fault = self._fault or error
        finally:
            self._progress.finished()

    def _insist(self, target: str, write: Callable[[], None]) -> None:
        attempt = 0
        while True:
            try:
                write()
            except TransientError as error:
                self._progress.tried(str(error))
                self._telemetry.count("tickets_retries_total", target)
                delay_s = self._backoff.delay_s(attempt, error)
                logger.warning("%s: %s; attempt %d, next in %.1f s", target, error, attempt + 1, delay_s)
                attempt += 1
                if self._stopping.wait(delay_s):
                    raise _GivenUpError from None
            else:
                self._progress.tried(None)
                return


class _GivenUpError(FatalError):
    """The worker stops while a target is out."""
