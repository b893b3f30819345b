"""The composition roots of a worker: the whole stream in one process, or one of its two roles (docs/roles.md)."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from random import Random
from typing import Final, TypeVar, cast

from connectors.kafka.consumer import open_consumer
from connectors.kafka.dead_letters import DeadLetterTopic
from connectors.kafka.topic_sink import TopicSink
from connectors.kafka.watch import open_topic_watch
from connectors.qdrant.open import EmbeddedIndex
from connectors.qdrant.optimiser import open_optimiser
from connectors.qdrant.policy import VersionedIndex
from core.protocols import Embedder
from core.provenance import MismatchError
from core.records import Batch, EnrichedTicket, Item, Receipt, Rejected, TicketPoints
from core.settings import Settings
from core.wire.embedded import encode_embedded
from core.wire.enriched import encode_enriched
from operators.language import load_short_texts
from runtime.index import open_index_for_writing
from runtime.model import open_caching_embedder, open_tokenizer
from stream.dependencies import open_dependencies
from stream.integrity import stay_up
from stream.keeping import open_keeper
from stream.pipeline import Pipeline
from stream.plan import RECEIVE_ENRICHED, embedding_steps, enriching_steps, lookup_steps
from stream.positions import PositionKeeper
from stream.roles import EMBEDDING, ENRICHMENT, PIPELINE
from stream.servers import serve_control, serve_health
from stream.sinks import EMBEDDED, ENRICHED, INDEX, OpenSink
from stream.steps import Step, run_steps
from stream.telemetry import StreamObserver
from stream.worker import Worker, open_worker
from stream.writer import Writer

logger: Final = logging.getLogger("ticketstream.stream")

W = TypeVar("W", bound=EnrichedTicket | TicketPoints)


def open_pipeline(settings: Settings, *, observer: StreamObserver | None = None) -> Pipeline:
    """A pipeline from `tickets.raw` to the index, checked and ready to poll.

    Raises:
        ConfigError: a setting is wrong, the index belongs to another process or model, or a port is taken.
        UnavailableError: the broker, a topic, the index or the model's weights are unavailable.
        MismatchError: the index lacks what the group has committed, or belongs to another log.
    """
    with ExitStack() as stack:
        _load_languages()
        worker = open_worker(settings, PIPELINE, stack, observer=observer)
        embedder, index = _open_index(worker, stack)
        steps = enriching_steps(settings, embedder)
        finishing = [*lookup_steps(settings), *embedding_steps(settings, embedder)]
        keeper = _serve_index(worker, index, embedder, stack)
        sinks = [OpenSink(INDEX, index)]
        return _assemble(
            worker, stack, steps=steps, finishing=finishing, sinks=sinks, model=embedder.stamp, keeper=keeper
        )


def open_enrichment(settings: Settings, *, observer: StreamObserver | None = None) -> Pipeline:
    """The role from `tickets.raw` to `tickets.enriched`. It loads the model's tokenizer and not the model.

    Raises:
        ConfigError: a setting is wrong, or a port is taken.
        UnavailableError: the broker, a topic or the model's files are unavailable.
    """
    with ExitStack() as stack:
        _load_languages()
        worker = open_worker(settings, ENRICHMENT, stack, observer=observer)
        steps = enriching_steps(settings, open_tokenizer(settings.model))
        finishing = lookup_steps(settings)
        _serve(worker, stack)
        topic = TopicSink(worker.sender, topic=settings.topics.enriched, message=encode_enriched)
        sinks = [OpenSink(ENRICHED, topic)]
        return _assemble(worker, stack, steps=steps, finishing=finishing, sinks=sinks, model="none")


def open_embedding(settings: Settings, *, observer: StreamObserver | None = None) -> Pipeline:
    """The role from `tickets.enriched` to the index. It writes `tickets.embedded` before the index.

    Raises:
        ConfigError: a setting is wrong, the index belongs to another process or model, or a port is taken.
        UnavailableError: the broker, a topic, the index or the model's weights are unavailable.
        MismatchError: the index lacks what the group has committed, or belongs to another log.
    """
    with ExitStack() as stack:
        worker = open_worker(settings, EMBEDDING, stack, observer=observer)
        embedder, index = _open_index(worker, stack)
        steps, finishing = [RECEIVE_ENRICHED], embedding_steps(settings, embedder)
        keeper = _serve_index(worker, index, embedder, stack)
        message = partial(encode_embedded, model=embedder.stamp)
        topic = TopicSink(worker.sender, topic=settings.topics.embedded, message=message)
        sinks: list[OpenSink[TicketPoints]] = [OpenSink(EMBEDDED, topic), OpenSink(INDEX, index)]
        return _assemble(
            worker, stack, steps=steps, finishing=finishing, sinks=sinks, model=embedder.stamp, keeper=keeper
        )


def _load_languages() -> None:
    """Load the language detector during the start's waits, so that no ticket waits for it."""
    threading.Thread(target=load_short_texts, name="languages", daemon=True).start()


def _open_index(worker: Worker, stack: ExitStack) -> tuple[Embedder, VersionedIndex]:
    """Open the model and the index for its vectors; an embedded index is optimised in the background."""
    settings, telemetry = worker.settings, worker.state.telemetry
    embedder = open_caching_embedder(settings.model, stack, telemetry, on_text=worker.state.progress.advanced)
    index = open_index_for_writing(settings.index, embedder, stack)
    if isinstance(index, EmbeddedIndex):
        open_optimiser(index.edge, settings.index, stack)
        telemetry.track("tickets_index_room_bytes", index.room, str(settings.index.path))
    return embedder, index


def _serve(worker: Worker, stack: ExitStack) -> None:
    """Start the health server. It is started last, so that building a model for minutes doesn't look like a stall."""
    serve_health(worker.settings.health, worker.state, stack, port=worker.role.port)


def _serve_index(worker: Worker, index: VersionedIndex, embedder: Embedder, stack: ExitStack) -> PositionKeeper:
    """Start the health server, check the index, and start the control server if only this process can open the index.

    Raises:
        MismatchError: the index lacks what the group has committed, or belongs to another log. /ready has shown it.
    """

    def answer() -> None:
        if isinstance(index, EmbeddedIndex):
            serve_control(index, embedder, worker.settings.search, worker.state, stack)

    _serve(worker, stack)
    index.on_superseded = lambda count: worker.state.telemetry.count("tickets_superseded_total", by=count)
    try:
        keeper = open_keeper(
            worker.settings, kafka=worker.kafka, role=worker.role, state=worker.state, index=index, stack=stack
        )
    except MismatchError as error:
        answer()
        stay_up(worker.state.integrity, error)
        raise
    answer()
    return keeper


def _assemble(
    worker: Worker,
    stack: ExitStack,
    *,
    steps: Sequence[Step],
    finishing: Sequence[Step],
    sinks: Sequence[OpenSink[W]],
    model: str,
    keeper: PositionKeeper | None = None,
) -> Pipeline:
    """The pipeline, which owns what `stack` holds from now on.

    Args:
        worker: the objects that its parts share.
        stack: everything that was opened for it.
        steps: run on the polling thread.
        finishing: run on the writer's threads.
        sinks: destinations of the results, in this order.
        model: stamp of the model, for the metrics.
        keeper: notes positions in the index before they are committed; None without an index.
    """
    state = worker.state
    consumer = open_consumer(
        topic=worker.role.reads(worker.settings.topics),
        kafka=worker.kafka,
        limits=worker.settings.writer,
        credits_=state.credits,
        observer=state.observer,
        watch=open_topic_watch(worker.kafka, worker.role.reads(worker.settings.topics)),
        tracker=None if keeper is None else keeper.tracker,
    )
    writer = _writer(worker, finishing, sinks, ack=consumer.ack)
    state.telemetry.describe_process(version("ticketstream"), model)
    logger.info("reading %s as group %s", worker.role.reads(worker.settings.topics), worker.kafka.group)
    pipeline = Pipeline(
        consumer=consumer, steps=steps, writer=writer, telemetry=state.telemetry, resources=stack.pop_all()
    )
    if keeper is not None:
        keeper.start(pipeline.fail)
    return pipeline


def _writer(
    worker: Worker, finishing: Sequence[Step], sinks: Sequence[OpenSink[W]], *, ack: Callable[[Receipt], None]
) -> Writer[W]:
    settings, state = worker.settings, worker.state
    dependencies = open_dependencies(
        settings.writer,
        sinks=[sink.spec for sink in sinks],
        lookups=[step.calls for step in finishing if step.calls],
        telemetry=state.telemetry,
        progress=state.progress,
        rng=Random(),  # noqa: S311 - jitter, not a secret
    )
    finish = partial(run_steps, finishing, telemetry=state.telemetry, dependencies=dependencies)
    return Writer(
        # the last step returns the sinks' type of tickets
        finish=cast("Callable[[Batch[Item]], Batch[W | Rejected]]", finish),
        sinks=sinks,
        dead_letters=DeadLetterTopic(worker.letters, topic=settings.topics.dlq, now_ms=_now_ms),
        dependencies=dependencies,
        ack=ack,
        settings=settings.writer,
        telemetry=state.telemetry,
        progress=state.progress,
    )


def _now_ms() -> int:
    return int(time.time() * 1000)
