"""A writer to run in a test."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar, cast

from core.protocols import DeadLetters, Sink
from core.records import Batch, EnrichedTicket, Item, Receipt, Rejected, TicketPoints
from core.settings import WriterSettings
from stream.progress import Progress
from stream.sinks import EMBEDDED, INDEX, OpenSink, SinkSpec
from stream.steps import Step, run_steps
from stream.telemetry import StreamTelemetry
from stream.writer import Writer
from tests.fakes import dependencies, record
from tests.rigs.waiting import wait_until

SETTINGS = WriterSettings(backoff_max_s=0.002, max_concurrent_batches=2)
BAD = Rejected(record(1), "decode", "bad_json", "reason")


W = TypeVar("W", bound=EnrichedTicket | TicketPoints)

#: Runs the last steps on a batch.
Finish = Callable[[Batch[Item]], Batch[W | Rejected]]


class Run(Generic[W]):
    """A writer, with its acks, metrics and progress."""

    def __init__(
        self,
        index: Sink[W],
        dead_letters: DeadLetters,
        kind: type[Writer[W]] = Writer,
        *,
        finish: Finish[W] | None = None,
        first: Sink[W] | None = None,
        spec: SinkSpec = INDEX,
        steps: Sequence[Step] = (),
        telemetry: StreamTelemetry | None = None,
    ) -> None:
        """Finish batches with `finish`, or with `steps`."""
        self.acks: list[Receipt] = []
        self.telemetry = telemetry or StreamTelemetry()
        self.progress = Progress(max_stall_s=60)
        sinks: list[OpenSink[W]] = [OpenSink(spec, index)]
        if first is not None:
            sinks.insert(0, OpenSink(EMBEDDED, first))
        lookups = [step.calls for step in steps]
        called = dependencies(SETTINGS, self.telemetry, self.progress, [sink.spec for sink in sinks], lookups)
        run = partial(run_steps, steps, telemetry=self.telemetry, dependencies=called)
        self.writer = kind(
            finish=finish or cast("Finish[W]", run),
            sinks=sinks,
            dead_letters=dead_letters,
            dependencies=called,
            ack=self.acks.append,
            settings=SETTINGS,
            telemetry=self.telemetry,
            progress=self.progress,
        )

    def wait(self, done: Callable[[], bool]) -> None:
        wait_until(done, every_s=0.001)

    def sample(self, name: str, **labels: str) -> float | None:
        return self.telemetry.registry.get_sample_value(name, labels)
