"""The settings and objects that the parts of a worker share, opened after its topics are checked."""

import gc
import logging
import os
import sys
from contextlib import ExitStack
from typing import Final

from msgspec import Struct

from connectors.kafka.admin import open_cluster
from connectors.kafka.producer import Sender
from core import failpoints
from core.errors import ConfigError
from core.settings import KafkaSettings, Settings
from delivery.credits import Credits
from runtime.otlp import open_tracing
from runtime.sender import open_sender
from runtime.trace_file import open_trace_file
from stream.integrity import Integrity
from stream.progress import Progress
from stream.roles import Role
from stream.servers import WorkerState
from stream.telemetry import ConsumerTelemetry, StreamObserver, StreamTelemetry

logger: Final = logging.getLogger("ticketstream.stream")

#: Python's switch interval. A model's thread needs the GIL for an instant between two batches; with the default of 5
#: ms it waits that long for the thread that cleans tickets, while a core idles.
_SWITCH_INTERVAL_S: Final = 0.0005
#: New objects between two runs of Python's collector of cycles. Batches in flight hold some ten thousand objects and no
#: cycles; with the default of 700 each of them is visited several times.
_COLLECT_AFTER: Final = 10_000


class Worker(Struct, frozen=True, eq=False):
    """A worker's settings, and the objects that its parts share."""

    settings: Settings
    role: Role
    kafka: KafkaSettings
    sender: Sender
    letters: Sender
    state: WorkerState


def open_worker(settings: Settings, role: Role, stack: ExitStack, *, observer: StreamObserver | None) -> Worker:
    """Check the topics, tune the interpreter for the worker's threads, and open the telemetry and the senders.

    Raises:
        ConfigError: the topic that the role writes has fewer partitions than the one that it reads.
        UnavailableError: the broker doesn't answer, or a topic is missing.
    """
    _require_topics(settings, role)
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.set_threshold(_COLLECT_AFTER)
    failpoints.arm(os.environ.get(failpoints.VARIABLE))
    tracing = open_tracing(settings.tracing, stack, service=f"worker-{role.name}")
    telemetry = StreamTelemetry(open_trace_file(settings.log, stack), tracing=tracing, observer=observer)
    progress = Progress(max_stall_s=settings.health.max_stall_s)
    state = WorkerState(
        telemetry=telemetry,
        progress=progress,
        credits=Credits(
            tickets=settings.writer.max_inflight_records,
            bytes_=settings.writer.max_inflight_bytes,
            batches=settings.writer.max_concurrent_batches + 1,  # one for each writer thread, and the next
        ),
        observer=ConsumerTelemetry(telemetry, topic=role.reads(settings.topics), on_poll=progress.polled),
        integrity=Integrity(telemetry),
    )
    kafka = settings.kafka.model_copy(update={"group": role.group(settings.kafka)})
    # Letters are compressed, so that a record fits their topic whenever its batch, compressed, has fit its own.
    letters = open_sender(kafka, stack, compress=True)
    return Worker(settings, role, kafka, open_sender(kafka, stack) if role.writes else letters, letters, state)


def _require_topics(settings: Settings, role: Role) -> None:
    """Check that the role's topics and the dead-letter topic exist.

    Raises:
        UnavailableError: the broker doesn't answer, or a topic is missing.
        ConfigError: the topic that is written has fewer partitions than the one that is read.
    """
    reads = role.reads(settings.topics)
    writes = [role.writes(settings.topics)] if role.writes else []
    found = open_cluster(settings.kafka).require_topics([reads, settings.topics.dlq, *writes])
    logger.info("%s has %d partitions, so at most that many tasks can share it", reads, found[reads])
    for topic in writes:
        if found[topic] < found[reads]:
            raise ConfigError(
                f"{reads} has {found[reads]} partitions, but {topic} has {found[topic]}: records keep their partition "
                f"number, so {topic} needs at least {found[reads]} (kafka-topics --alter --partitions)"
            )
