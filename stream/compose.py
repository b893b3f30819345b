"""The composition roots: the whole stream in one process, or one of its two roles (docs/roles.md)."""

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from random import Random
from typing import Final, TypeVar, cast

from msgspec import Struct

from connectors.kafka.admin import open_cluster
from connectors.kafka.consumer import open_consumer
from connectors.kafka.dead_letters import DeadLetterTopic
from connectors.kafka.producer import Sender
from connectors.kafka.topic_sink import TopicSink
from connectors.qdrant.open import EmbeddedIndex
from core import failpoints
from core.errors import ConfigError
from core.records import Batch, EnrichedTicket, Item, Rejected, TicketPoints
from core.settings import KafkaSettings, Settings
from core.wire import embedded_message, enriched_message
from delivery.credits import Credits
from runtime.index import open_index_for_writing
from runtime.model import open_caching_embedder, open_tokenizer
from runtime.sender import open_sender
from runtime.telemetry import open_trace
from stream.dependencies import open_dependencies
from stream.pipeline import Pipeline
from stream.plan import RECEIVE_ENRICHED, embedding_steps, enriching_steps, lookup_steps
from stream.progress import Progress
from stream.servers import State, serve_control, serve_health
from stream.sinks import EMBEDDED, ENRICHED, INDEX, OpenSink
from stream.steps import Step, run_steps
from stream.telemetry import ConsumerTelemetry, StreamObserver, StreamTelemetry
from stream.writer import Writer

logger: Final = logging.getLogger("ticketstream.stream")

W = TypeVar("W", bound=EnrichedTicket | TicketPoints)

#: Default health ports. They differ, so that both roles can run on one host.
PORT: Final = 8080
EMBEDDING_PORT: Final = 8081

#: The roles of a stream that two processes share.
ENRICHMENT: Final = "enrichment"
EMBEDDING: Final = "embedding"

#: A model's thread needs the interpreter for an instant between two batches. At Python's own 5 ms it would wait for
#: that behind the cleaning of tickets, with a core idle.
_SWITCH_INTERVAL_S: Final = 0.0005


class _Worker(Struct, frozen=True, eq=False):
    """What every role has: its settings, and the objects that its parts share."""

    settings: Settings
    kafka: KafkaSettings
    reads: str
    sender: Sender
    state: State


def open_pipeline(settings: Settings, *, observer: StreamObserver | None = None) -> Pipeline:
    """A pipeline from `tickets.raw` to the index, checked and ready to poll.

    Raises:
        ConfigError: a setting is wrong, the index belongs to another process or model, or a port is taken.
        UnavailableError: the broker, a topic, the index or the model's weights can't be had.
    """
    with ExitStack() as stack:
        require_topics(settings, settings.kafka, reads=settings.topics.raw)
        worker = _open_worker(settings, None, stack, reads=settings.topics.raw, observer=observer)
        embedder = open_caching_embedder(settings.model, worker.state.telemetry)
        index = open_index_for_writing(settings.index, embedder, stack)
        steps = enriching_steps(settings, embedder)
        finishing = [*lookup_steps(settings), *embedding_steps(settings, embedder)]
        serve_health(settings.health, worker.state, stack, port=PORT)
        if isinstance(index, EmbeddedIndex):
            serve_control(index, embedder, worker.state, stack)
        sinks = [OpenSink(INDEX, index)]
        return _assemble(worker, stack, steps=steps, finishing=finishing, sinks=sinks, model=embedder.stamp)


def open_enrichment(settings: Settings, *, observer: StreamObserver | None = None) -> Pipeline:
    """The first role, from `tickets.raw` to `tickets.enriched`. It has the model's tokenizer and not the model.

    Raises:
        ConfigError: a setting is wrong, or a port is taken.
        UnavailableError: the broker, a topic or the model's files can't be had.
    """
    topics = settings.topics
    with ExitStack() as stack:
        require_topics(settings, settings.kafka, reads=topics.raw, writes=[topics.enriched])
        worker = _open_worker(settings, ENRICHMENT, stack, reads=topics.raw, observer=observer)
        steps = enriching_steps(settings, open_tokenizer(settings.model))
        finishing = lookup_steps(settings)
        serve_health(settings.health, worker.state, stack, port=PORT)
        sinks = [OpenSink(ENRICHED, TopicSink(worker.sender, topic=topics.enriched, message=enriched_message))]
        return _assemble(worker, stack, steps=steps, finishing=finishing, sinks=sinks, model="none")


def open_embedding(settings: Settings, *, observer: StreamObserver | None = None) -> Pipeline:
    """The second role, from `tickets.enriched` to `tickets.embedded` and, once that has it, the index.

    Raises:
        ConfigError: a setting is wrong, the index belongs to another process or model, or a port is taken.
        UnavailableError: the broker, a topic, the index or the model's weights can't be had.
    """
    topics = settings.topics
    with ExitStack() as stack:
        require_topics(settings, settings.kafka, reads=topics.enriched, writes=[topics.embedded])
        worker = _open_worker(settings, EMBEDDING, stack, reads=topics.enriched, observer=observer)
        embedder = open_caching_embedder(settings.model, worker.state.telemetry)
        index = open_index_for_writing(settings.index, embedder, stack)
        finishing = embedding_steps(settings, embedder)
        serve_health(settings.health, worker.state, stack, port=EMBEDDING_PORT)
        if isinstance(index, EmbeddedIndex):
            serve_control(index, embedder, worker.state, stack)
        message = partial(embedded_message, model=embedder.stamp)
        sinks: list[OpenSink[TicketPoints]] = [
            OpenSink(EMBEDDED, TopicSink(worker.sender, topic=topics.embedded, message=message)),
            OpenSink(INDEX, index),
        ]
        steps = [RECEIVE_ENRICHED]
        return _assemble(worker, stack, steps=steps, finishing=finishing, sinks=sinks, model=embedder.stamp)


def require_topics(settings: Settings, kafka: KafkaSettings, *, reads: str, writes: Sequence[str] = ()) -> None:
    """Check that the topics exist: the one that is read, the dead letters, and those that are written.

    Raises:
        UnavailableError: the broker doesn't answer, or a topic is missing.
        ConfigError: a topic that is written has fewer partitions than the one that is read.
    """
    found = open_cluster(kafka).require_topics([reads, settings.topics.dlq, *writes])
    logger.info("%s has %d partitions: at most so many tasks share it", reads, found[reads])
    for topic in writes:
        if found[topic] < found[reads]:
            raise ConfigError(
                f"{topic} has {found[topic]} partitions and {reads} {found[reads]}: a record keeps its "
                f"partition, so give {topic} as many (kafka-topics --alter --partitions)"
            )


def _open_worker(
    settings: Settings, role: str | None, stack: ExitStack, *, reads: str, observer: StreamObserver | None
) -> _Worker:
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    failpoints.arm(os.environ.get(failpoints.VARIABLE))
    telemetry = StreamTelemetry(open_trace(settings.log, stack), observer=observer)
    progress = Progress(max_stall_s=settings.health.max_stall_s)
    state = State(
        telemetry=telemetry,
        progress=progress,
        credits=Credits(
            tickets=settings.writer.max_inflight_records,
            bytes_=settings.writer.max_inflight_bytes,
            batches=settings.writer.max_concurrent_batches + 1,  # one for each writer thread, and the next
        ),
        observer=ConsumerTelemetry(telemetry, topic=reads, on_poll=progress.polled),
    )
    kafka = settings.kafka.model_copy(update={"group": settings.kafka.group_of(role)})
    # One sender for all topics: dead letters are few, and a sender has threads and buffers of its own.
    return _Worker(settings, kafka, reads, open_sender(kafka, stack), state)


def _assemble(
    worker: _Worker,
    stack: ExitStack,
    *,
    steps: Sequence[Step],
    finishing: Sequence[Step],
    sinks: Sequence[OpenSink[W]],
    model: str,
) -> Pipeline:
    """The pipeline, which owns what `stack` holds from now on.

    Args:
        worker: what its parts share.
        stack: everything that was opened for it.
        steps: run on the polling thread.
        finishing: run on the writer's threads.
        sinks: where the results go, in this order.
        model: stamp of the model, for the metrics.
    """
    settings, state = worker.settings, worker.state
    dependencies = open_dependencies(
        settings.writer,
        sinks=[sink.spec for sink in sinks],
        lookups=[step.calls for step in finishing if step.calls],
        telemetry=state.telemetry,
        progress=state.progress,
        rng=Random(),  # noqa: S311 - jitter, not a secret
    )
    consumer = open_consumer(
        topic=worker.reads,
        kafka=worker.kafka,
        limits=settings.writer,
        credits_=state.credits,
        observer=state.observer,
    )
    finish = partial(run_steps, finishing, telemetry=state.telemetry, dependencies=dependencies)
    writer: Writer[W] = Writer(
        finish=cast("Callable[[Batch[Item]], Batch[W | Rejected]]", finish),  # the last step makes what the sinks take
        sinks=sinks,
        dead_letters=DeadLetterTopic(worker.sender, topic=settings.topics.dlq, now_ms=_now_ms),
        dependencies=dependencies,
        ack=consumer.ack,
        settings=settings.writer,
        telemetry=state.telemetry,
        progress=state.progress,
    )
    state.telemetry.describe_process(version("ticketstream"), model)
    logger.info("reading %s as group %s", worker.reads, worker.kafka.group)
    return Pipeline(consumer=consumer, steps=steps, writer=writer, telemetry=state.telemetry, resources=stack.pop_all())


def _now_ms() -> int:
    return int(time.time() * 1000)
