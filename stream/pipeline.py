"""A running pipeline: consumer, steps, writer and HTTP servers."""

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol

from core.errors import FatalError
from core.provenance import MismatchError
from core.records import Batch, Item, Record
from stream.steps import Step, run_step
from stream.telemetry import StreamTelemetry


class BatchConsumer(Protocol):
    """The part of `connectors.kafka.consumer.GroupConsumer` that a pipeline needs."""

    @property
    def finished(self) -> bool: ...

    @property
    def hangs(self) -> bool: ...

    def poll(self) -> Batch[Record] | None: ...

    def stop(self, since: float) -> None: ...

    def close(self) -> None: ...


class BatchWriter(Protocol):
    """The part of `stream.writer.Writer` that a pipeline needs, for a writer of any tickets."""

    @property
    def fault(self) -> BaseException | None: ...

    @property
    def hangs(self) -> bool: ...

    def submit(self, batch: Batch[Item]) -> None: ...

    def close(self) -> None: ...


class Pipeline:
    """A dataflow or a plain loop drives it: poll, run each step and submit, until it is `finished`; then `close`.

    One thread drives it. `stop` and `fail` may be called from any thread.
    """

    def __init__(
        self,
        *,
        consumer: BatchConsumer,
        steps: Sequence[Step],
        writer: BatchWriter,
        telemetry: StreamTelemetry,
        resources: ExitStack,
    ) -> None:
        self.steps = tuple(steps)
        self._consumer = consumer
        self._writer = writer
        self.telemetry = telemetry
        self._resources = resources
        self._stop = threading.Event()
        self._stopped_at = 0.0
        self._fault: BaseException | None = None

    @property
    def fault(self) -> BaseException | None:
        """The error that ended the pipeline early, or None."""
        return self._fault or self._writer.fault

    @property
    def hangs(self) -> bool:
        """Whether `close` gave up on running work or an unresponsive broker. The process must not wait for either."""
        return self._writer.hangs or self._consumer.hangs

    @property
    def finished(self) -> bool:
        """Whether it has drained after `stop`, so that nothing more is read. `poll` raises if the pipeline failed."""
        return self._consumer.finished

    def poll(self) -> Batch[Record] | None:
        """The next batch, or None for now.

        Raises:
            FatalError: the stream can't continue, or has failed before.
            MismatchError: the index no longer matches the group's offsets.
        """
        if isinstance(self._fault, MismatchError):
            raise self._fault
        if self._fault is not None:
            raise FatalError(str(self._fault)) from self._fault
        if self._writer.fault is not None:
            raise FatalError(f"writing: {self._writer.fault}") from self._writer.fault
        if self._stop.is_set():
            self._consumer.stop(since=self._stopped_at)
        began = time.perf_counter()
        batch = self._consumer.poll()
        if batch is not None:
            self.telemetry.ran_step("poll", time.perf_counter() - began, len(batch.items))
            self.telemetry.read(batch.items)
        return batch

    def run_step(self, step: Step, batch: Batch[Item]) -> Batch[Item]:
        """Run `step` on `batch`.

        Raises:
            FatalError: the step failed, and not because of a single record.
        """
        return run_step(step, batch, self.telemetry)

    def submit(self, batch: Batch[Item]) -> None:
        """Hand `batch` to the writer, which finishes, writes and acks it."""
        self._writer.submit(batch)

    def stop(self) -> None:
        """Request an orderly shutdown: drain, commit, leave the group. Callable from any thread or a signal handler."""
        if not self._stop.is_set():
            self._stopped_at = time.monotonic()
        self._stop.set()

    def fail(self, fault: BaseException) -> None:
        """Record the first fault. The next poll raises it, and no later batch is acked."""
        self._fault = self._fault or fault

    def close(self) -> None:
        """Release everything: first writes end, then offsets are committed, then the index and the servers close."""
        self._writer.close()
        self._consumer.close()
        if not self.hangs:  # closing could block on the hung thread; the process's exit releases the rest
            self._resources.close()
