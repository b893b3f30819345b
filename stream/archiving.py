"""The composition root of the archiver, its metrics and its health endpoints."""

import logging
import os
import threading
import time
from contextlib import ExitStack
from importlib.metadata import version
from random import Random
from typing import Final
from wsgiref.types import WSGIApplication

from archive.files import Entry
from archive.generation import begin_generation
from archive.partition import PartitionArchive
from connectors.archive_store.open import open_archive
from connectors.kafka.admin import open_cluster
from connectors.kafka.positioned import open_positioned
from connectors.kafka.watch import open_topic_watch
from core import failpoints
from core.errors import UnavailableError
from core.provenance import LogIdentity
from core.settings import Settings
from runtime.connections import Limits
from runtime.health import health_app
from runtime.http import open_http_server
from runtime.telemetry import Telemetry
from stream.archiver import Archiver, ArchiverObserver
from stream.progress import Progress
from stream.roles import ARCHIVE

logger: Final = logging.getLogger("ticketstream.archive")

_HEALTH: Final = Limits(connections=1_024, threads=2, waiting=16, urgent=("/health", "/ready"), body_bytes=1_024)


class ArchiveTelemetry(ArchiverObserver):
    """Records the archiver's events as metrics."""

    def __init__(self, telemetry: Telemetry, progress: Progress, topic: str) -> None:
        self._telemetry = telemetry
        self._progress = progress
        self._topic = topic
        #: Whether the group has made an assignment, which may be empty.
        self.joined = False

    def polled(self) -> None:
        self._progress.polled()

    def rebalanced(self, event: str, assigned: int) -> None:
        self.joined = event == "assign" or self.joined
        self._telemetry.count("tickets_rebalances_total", event)
        self._telemetry.gauge("tickets_assigned_partitions", assigned, self._topic)

    def lag(self, topic: str, partition: int, records: int | None) -> None:
        if records is None:
            self._telemetry.forget("tickets_committed_lag", topic, str(partition))
        else:
            self._telemetry.gauge("tickets_committed_lag", records, topic, str(partition))

    def expired(self, topic: str, partition: int, records: int) -> None:
        self._telemetry.count("tickets_expired_records_total", topic, str(partition), by=records)

    def read(self, records: int) -> None:
        self._telemetry.count("tickets_records_total", self._topic, by=records)

    def stored(self, entry: Entry) -> None:
        self._telemetry.count("tickets_archive_files_total")
        self._telemetry.count("tickets_archive_bytes_total", by=entry.bytes)
        self._telemetry.count("tickets_acked_total", "archived", by=entry.records)

    def retried(self) -> None:
        self._telemetry.count("tickets_retries_total", "archive")


def run_archiver(settings: Settings, stop: threading.Event) -> None:
    """Archive until `stop` is set; then store what was read, for as long as a drain may take.

    Raises:
        ConfigError: a setting is wrong.
        UnavailableError: the broker, the topic or the archive is unavailable, or a disk is full.
        FatalError: the topic was created again, or the archive is damaged.
    """
    failpoints.arm(os.environ.get(failpoints.VARIABLE))
    with ExitStack() as stack:
        try:
            archiver = open_archiver(settings, stack)
        except UnavailableError:
            if stop.is_set():  # nothing was begun, so nothing is left incomplete
                return
            raise
        while not stop.is_set():
            archiver.step()
        archiver.stop()
        deadline = time.monotonic() + settings.writer.drain_timeout_s
        while not archiver.drained and time.monotonic() < deadline:
            archiver.step()
        if not archiver.drained:
            logger.warning("stopping before everything is stored; it will be read again")


def open_archiver(settings: Settings, stack: ExitStack) -> Archiver:
    """An archiver that has asked for partitions, with its health endpoints; `stack` closes both.

    Raises:
        ConfigError: a setting is wrong.
        UnavailableError: the broker, the topic or the archive is unavailable.
    """
    store = open_archive(settings.archive)
    topic = ARCHIVE.reads(settings.topics)
    cluster = open_cluster(settings.kafka)
    cluster.require_topics([topic])  # says what to do if there is no broker or no topic
    watch = open_topic_watch(settings.kafka, topic)
    known = cluster.identify(topic)
    log = LogIdentity(topic, known.cluster, watch.topic_id)
    begin_generation(store, log)
    telemetry = Telemetry()
    telemetry.describe_process(version("ticketstream"), "none")
    progress = Progress(max_stall_s=settings.health.max_stall_s)
    observer = ArchiveTelemetry(telemetry, progress, topic)
    archiver = Archiver(
        open_positioned(settings.kafka, topic, group=ARCHIVE.group(settings.kafka), topic_id=log.topic_id),
        open_partition=lambda number: PartitionArchive(store, log, number, spool=settings.archive.spool_dir),
        confirm=watch.confirm,
        settings=settings.archive,
        observer=observer,
        rng=Random(),  # noqa: S311 - jitter, not a secret
    )
    stack.callback(archiver.close)
    telemetry.track("tickets_archive_age_seconds", lambda: archiver.age_s)

    def ready() -> str | None:
        if not observer.joined:
            return "waiting for the first partition assignment of the consumer group"
        return archiver.outage or progress.stall()

    _serve(health_app(registry=telemetry.registry, alive=progress.stall, ready=ready), settings, stack)
    archiver.join()
    return archiver


def _serve(app: WSGIApplication, settings: Settings, stack: ExitStack) -> None:
    server = open_http_server(
        app,
        stack,
        host=settings.health.host,
        port=ARCHIVE.port if settings.health.port is None else settings.health.port,
        setting="TICKETS_HEALTH__PORT",
        limits=_HEALTH,
    )
    logger.info("health and metrics on http://%s:%d", settings.health.host, server.port)
