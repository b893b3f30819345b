"""The composition root of a single-process pipeline: every resource is opened here, checked, and closed in turn."""

import logging
import os
import sys
import time
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from random import Random
from typing import Any, Final

from connectors.customers import load_customers, read_examples
from connectors.index.open import open_index
from connectors.kafka.admin import Cluster
from connectors.kafka.consumer import GroupConsumer
from connectors.kafka.dead_letters import DeadLetterTopic
from connectors.kafka.producer import open_sender
from core import failpoints
from core.ports import Embedder
from core.records import Batch
from core.settings import Settings
from delivery.credits import Credits
from models.cache import CachingEmbedder
from operators.chunk import chunk
from operators.classify import Examples, classify
from operators.clean import clean
from operators.decode import decode
from operators.embed import embed
from operators.enrich import enrich
from operators.language import CompactDetector, detect_language
from operators.points import to_points
from operators.redact import redact
from worker.http import Announcer, State, serve_control, serve_health
from worker.model import open_embedder
from worker.pipeline import Pipeline
from worker.progress import Progress
from worker.steps import Step, run_step
from worker.telemetry import ConsumerTelemetry, Telemetry
from worker.trace import Trace
from worker.writer import Writer

logger: Final = logging.getLogger("ticketstream.worker")

#: A model's thread needs the interpreter for an instant between two batches; at Python's own 5 ms it waits for that
#: behind the cleaning of tickets, with a core idle.
_SWITCH_INTERVAL_S: Final = 0.0005


def build_pipeline(settings: Settings) -> Pipeline:
    """A pipeline from `tickets.raw` to the index, checked and ready to poll.

    Raises:
        ConfigError: a setting is wrong, the index belongs to another process or model, or a port is taken.
        UnavailableError: the broker, a topic, the index or the model's weights can't be had.
    """
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    failpoints.arm(os.environ.get(failpoints.VARIABLE))
    with ExitStack() as opening:
        trace = Trace(settings.log.trace_file) if settings.log.trace_file else None
        if trace is not None:
            opening.callback(trace.close)
        telemetry = Telemetry(trace)
        Cluster(settings.kafka).require_topics([settings.topics.raw, settings.topics.dlq])
        embedder = _remembering(open_embedder(settings.model, on_batch=telemetry.model), settings, telemetry)
        index = open_index(settings.index, dimension=embedder.dimension, model=embedder.stamp)
        opening.callback(index.close)
        steps, finishing = _divide(ticket_steps(settings, embedder))
        progress = Progress(max_stall_s=settings.health.max_stall_s)
        credits_ = Credits(
            tickets=settings.writer.max_inflight_tickets,
            bytes_=settings.writer.max_inflight_bytes,
            batches=settings.writer.concurrency + 1,  # one for each writer, and the next
        )
        observer = ConsumerTelemetry(telemetry, topic=settings.topics.raw, on_poll=progress.polled)
        state = State(telemetry=telemetry, progress=progress, credits=credits_, observer=observer)
        opening.callback(serve_health(settings.health, state).close)
        announcer = index if isinstance(index, Announcer) else None
        if announcer is not None:
            opening.callback(serve_control(announcer, index=index, embedder=embedder, state=state).close)
        sender = open_sender(settings.kafka)
        opening.callback(sender.close)
        consumer = GroupConsumer(
            topic=settings.topics.raw,
            kafka=settings.kafka,
            limits=settings.writer,
            credits_=credits_,
            observer=observer,
        )
        writer = Writer(
            finish=partial(_run_all, finishing, telemetry=telemetry),
            index=index,
            dead_letters=DeadLetterTopic(sender, topic=settings.topics.dlq, now_ms=_now_ms),
            ack=consumer.ack,
            settings=settings.writer,
            telemetry=telemetry,
            progress=progress,
            rng=Random(),  # noqa: S311 - jitter, not a secret
        )
        telemetry.runs(version("ticketstream"), embedder.stamp)
        logger.info("reading %s as group %s", settings.topics.raw, settings.kafka.group)
        return Pipeline(consumer=consumer, steps=steps, writer=writer, telemetry=telemetry, resources=opening.pop_all())


def ticket_steps(settings: Settings, embedder: Embedder) -> list[Step]:
    """The operators from raw record to points, with their resources bound.

    Raises:
        ConfigError: a file a setting names is missing or malformed.
    """
    customers = load_customers(settings.enrich.customers_file) if settings.enrich.customers_file else None
    examples = (
        Examples.load(read_examples(settings.classify.examples_file), embedder=embedder)
        if settings.classify.examples_file
        else None
    )
    max_tokens = min(settings.chunk.max_tokens or embedder.max_tokens, embedder.max_tokens)
    return [
        Step("decode", "decode", partial(decode, settings=settings.contract)),
        Step("clean", "enrich", clean),
        Step("redact", "enrich", redact),
        Step("language", "enrich", partial(detect_language, detector=CompactDetector())),
        Step("enrich", "enrich", partial(enrich, customers=customers), pure=False),
        Step(
            "chunk",
            "enrich",
            partial(
                chunk,
                tokenizer=embedder,
                max_tokens=max_tokens,
                overlap_tokens=min(settings.chunk.overlap_tokens, max_tokens // 4),
            ),
        ),
        Step("embed", "embed", partial(embed, embedder=embedder), pure=False),
        Step(
            "classify",
            "embed",
            partial(
                classify,
                examples=examples,
                neighbours=settings.classify.neighbours,
                min_confidence=settings.classify.min_confidence,
            ),
        ),
        Step("points", "index", to_points),
    ]


def _remembering(embedder: Embedder, settings: Settings, telemetry: Telemetry) -> Embedder:
    texts = settings.model.remembered_texts
    return CachingEmbedder(embedder, texts=texts, on_lookup=telemetry.looked_up) if texts else embedder


def _divide(steps: list[Step]) -> tuple[list[Step], list[Step]]:
    """What the polling thread does, and what the writer's threads do: from the model on."""
    at = next(number for number, step in enumerate(steps) if step.name == "embed")
    return steps[:at], steps[at:]


def _run_all(steps: list[Step], batch: Batch[Any], *, telemetry: Telemetry) -> Batch[Any]:
    for step in steps:
        batch = run_step(step, batch, telemetry)
    return batch


def _now_ms() -> int:
    return int(time.time() * 1000)
