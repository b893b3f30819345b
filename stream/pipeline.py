"""One running pipeline: consumer, steps, writer, and the ports that show how it is."""

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol

from connectors.kafka.consumer import GroupConsumer
from core.errors import FatalError
from core.records import Batch, Item, Record
from stream.steps import Step, run_step
from stream.telemetry import StreamTelemetry


class BatchWriter(Protocol):
    """What a pipeline needs of `stream.writer.Writer`, whatever tickets that writes."""

    @property
    def fault(self) -> BaseException | None: ...

    @property
    def hangs(self) -> bool: ...

    def submit(self, batch: Batch[Item]) -> None: ...

    def close(self) -> None: ...


class Pipeline:
    """What a graph or a plain loop drives: poll, run each step, submit; until finished; then close.

    All but `stop` and `fail` belong to one thread.
    """

    def __init__(
        self,
        *,
        consumer: GroupConsumer,
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
        """What ended the pipeline early, or None."""
        return self._fault or self._writer.fault

    @property
    def hangs(self) -> bool:
        """Closed with work under way, or a broker that doesn't answer; the process's end must not wait for either."""
        return self._writer.hangs or self._consumer.hangs

    @property
    def finished(self) -> bool:
        """Nothing more will be read: drained after `stop`. A poll of one that has failed raises."""
        return self._consumer.finished

    def poll(self) -> Batch[Record] | None:
        """The next batch, or None for now.

        Raises:
            FatalError: the stream can't go on, or has failed already.
        """
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
        """`batch` after `step`.

        Raises:
            FatalError: the step failed, and not on one record.
        """
        return run_step(step, batch, self.telemetry)

    def submit(self, batch: Batch[Item]) -> None:
        """Hand `batch` to the writer, which finishes, writes and acks it."""
        self._writer.submit(batch)

    def stop(self) -> None:
        """Ask for an orderly end: drain, commit, leave the group. From any thread or a signal handler."""
        if not self._stop.is_set():
            self._stopped_at = time.monotonic()
        self._stop.set()

    def fail(self, fault: BaseException) -> None:
        """Note the first fault; the next poll raises, and nothing after it is acked."""
        self._fault = self._fault or fault

    def close(self) -> None:
        """Release everything, in the order that keeps the promise: writes end, offsets are committed, ports close."""
        self._writer.close()
        self._consumer.close()
        if not self.hangs:  # a close could wait for whoever hangs in what it closes: leave it to the process's end
            self._resources.close()
