"""Where a pipeline is put together: every resource it needs is opened, checked, and closed in turn."""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from random import Random
from typing import Any, Final, Self, TypeVar

from connectors.index.open import open_index
from connectors.kafka.admin import Cluster
from connectors.kafka.consumer import GroupConsumer
from connectors.kafka.dead_letters import DeadLetterTopic
from connectors.kafka.producer import Sender, open_sender
from connectors.kafka.stage_topic import StageTopic
from core import failpoints
from core.errors import ConfigError
from core.ports import Embedder, Index, Sink
from core.settings import Settings
from core.wire import Message
from delivery.credits import Credits
from models.cache import CachingEmbedder
from worker.http import Announcer, State, serve_control, serve_health
from worker.model import open_embedder
from worker.outages import open_targets
from worker.pipeline import Pipeline
from worker.progress import Progress
from worker.steps import Step, record_of, run_steps
from worker.telemetry import ConsumerTelemetry, Telemetry
from worker.trace import Trace
from worker.writer import LETTERS, Writer

logger: Final = logging.getLogger("ticketstream.worker")

T = TypeVar("T")

#: A model's thread needs the interpreter for an instant between two batches; at Python's own 5 ms it waits for that
#: behind the cleaning of tickets, with a core idle.
_SWITCH_INTERVAL_S: Final = 0.0005


class Site:
    """A pipeline in the making. What was opened is closed again when it comes to nothing."""

    def __init__(self, settings: Settings, *, reads: str, stage: str | None = None, port: int) -> None:
        """Begin.

        Args:
            settings: all of them.
            reads: the topic.
            stage: its name, where the pipeline is a part of the way; it goes into the group's name, too.
            port: for health, where the settings name none.
        """
        self._group = settings.kafka.group_of(stage)
        self._kafka = settings.kafka.model_copy(update={"group": self._group})
        self._settings = settings
        self._reads = reads
        self._port = port
        self._opened = ExitStack()
        self._sender: Sender | None = None

    def __enter__(self) -> Self:
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        failpoints.arm(os.environ.get(failpoints.VARIABLE))
        settings = self._settings
        trace = Trace(settings.log.trace_file) if settings.log.trace_file else None
        if trace is not None:
            self._opened.callback(trace.close)
        self._telemetry = Telemetry(trace)
        self._progress = Progress(max_stall_s=settings.health.max_stall_s)
        self._credits = Credits(
            tickets=settings.writer.max_inflight_tickets,
            bytes_=settings.writer.max_inflight_bytes,
            batches=settings.writer.concurrency + 1,  # one for each writer, and the next
        )
        self._observer = ConsumerTelemetry(self._telemetry, topic=self._reads, on_poll=self._progress.polled)
        self._state = State(
            telemetry=self._telemetry, progress=self._progress, credits=self._credits, observer=self._observer
        )
        return self

    def __exit__(self, *_error: object) -> None:
        self._opened.close()

    def require_topics(self, *writes: str) -> None:
        """Check that the topics are there: the one that is read, the dead letters, and those that are written.

        Raises:
            UnavailableError: the broker doesn't answer, or a topic is missing.
            ConfigError: a topic that is written has fewer partitions than the one that is read.
        """
        found = Cluster(self._kafka).require_topics([self._reads, self._settings.topics.dlq, *writes])
        logger.info("%s has %d partitions: so many tasks share it at most", self._reads, found[self._reads])
        for topic in writes:
            if found[topic] < found[self._reads]:
                raise ConfigError(
                    f"{topic} has {found[topic]} partitions and {self._reads} {found[self._reads]}: a record keeps its "
                    f"partition, so give {topic} as many (kafka-topics --alter --partitions)"
                )

    def open_embedder(self) -> Embedder:
        """The model, with a memory for texts it has seen.

        Raises:
            ConfigError: a file is damaged, or not what the settings pin.
            UnavailableError: the model can't be had.
        """
        embedder = open_embedder(self._settings.model, on_batch=self._telemetry.model)
        texts = self._settings.model.remembered_texts
        return CachingEmbedder(embedder, texts=texts, on_lookup=self._telemetry.looked_up) if texts else embedder

    def open_index(self, embedder: Embedder) -> Index:
        """The index.

        Raises:
            ConfigError: it belongs to another process or model.
            UnavailableError: it doesn't answer.
        """
        index = open_index(self._settings.index, dimension=embedder.dimension, model=embedder.stamp)
        self._opened.callback(index.close)
        return index

    def serve(self, *, index: Index | None = None, embedder: Embedder | None = None) -> None:
        """Open the ports: health, and for an index that only this process can open, questions.

        Raises:
            ConfigError: a port is taken.
        """
        self._opened.callback(serve_health(self._settings.health, self._state, port=self._port).close)
        if isinstance(index, Announcer) and embedder is not None:
            self._opened.callback(serve_control(index, index=index, embedder=embedder, state=self._state).close)

    def topic(self, name: str, message: Callable[[T], Message]) -> Sink[T]:
        """A topic to write to, in the wire format that `message` gives."""
        return StageTopic(self._open_sender(), topic=name, record=record_of, message=message)

    def pipeline(
        self, *, steps: Sequence[Step], finishing: Sequence[Step], sinks: Mapping[str, Sink[Any]], model: str
    ) -> Pipeline:
        """All of it. `steps` run on the polling thread, `finishing` on the writer's; `model` is its stamp."""
        settings = self._settings
        letters = DeadLetterTopic(self._open_sender(), topic=settings.topics.dlq, now_ms=_now_ms)
        consumer = GroupConsumer(
            topic=self._reads,
            kafka=self._kafka,
            limits=settings.writer,
            credits_=self._credits,
            observer=self._observer,
        )
        targets = open_targets(
            settings.writer,
            [*(step.asks for step in finishing if step.asks), *sinks, LETTERS],
            telemetry=self._telemetry,
            progress=self._progress,
            rng=Random(),  # noqa: S311 - jitter, not a secret
        )
        writer = Writer(
            finish=partial(run_steps, finishing, telemetry=self._telemetry, targets=targets),
            sinks=sinks,
            dead_letters=letters,
            targets=targets,
            ack=consumer.ack,
            settings=settings.writer,
            telemetry=self._telemetry,
            progress=self._progress,
        )
        self._telemetry.runs(version("ticketstream"), model)
        logger.info("reading %s as group %s", self._reads, self._group)
        return Pipeline(
            consumer=consumer,
            steps=steps,
            writer=writer,
            telemetry=self._telemetry,
            resources=self._opened.pop_all(),
        )

    def _open_sender(self) -> Sender:
        """One for all topics: letters are few, and a sender has threads and buffers of its own."""
        if self._sender is None:
            self._sender = open_sender(self._kafka)
            self._opened.callback(self._sender.close)
        return self._sender


def _now_ms() -> int:
    return int(time.time() * 1000)
