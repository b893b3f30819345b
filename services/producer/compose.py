"""The composition root of the producer service."""

import os
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from typing import Final

from connectors.checkpoints.dynamodb import open_dynamodb
from connectors.checkpoints.sqlite import open_sqlite
from connectors.files.formats import parsers
from connectors.kafka.admin import open_cluster
from connectors.sources.bucket import open_bucket
from connectors.sources.folder import open_folder
from core import failpoints
from core.errors import ConfigError
from core.producing import Checkpoints, Source
from core.service_settings import ProducerSettings
from core.settings import Settings
from runtime.connections import Limits
from runtime.health import health_app
from runtime.http import open_http_server
from runtime.sender import open_sender
from runtime.telemetry import Telemetry
from services.producer.leases import Leases
from services.producer.monitor import Monitor
from services.producer.opening import FileReader
from services.producer.outlet import Outlet
from services.producer.producer import Producer
from services.producer.retry import Retry, StoppedError
from services.producer.sending import Sending

PORT: Final = 8085
_SOURCES: Final = "TICKETS_PRODUCER__SOURCES"
#: A line may be this many times longer than its event, because of escapes, spaces and UTF-16.
_LINE_FACTOR: Final = 4
_HEALTH: Final = Limits(connections=1_024, threads=2, waiting=16, urgent=("/health", "/ready"), body_bytes=1_024)


class Service:
    """A producer with its probes. `run` returns when `stop` is set."""

    def __init__(self, producer: Producer, wait_for_topics: Callable[[], None], port: int) -> None:
        self._producer = producer
        self._wait_for_topics = wait_for_topics
        #: The port of the probes.
        self.port = port

    def run(self) -> None:
        """Wait until the topics exist, then send until the event is set."""
        try:
            self._wait_for_topics()
        except StoppedError:
            return
        self._producer.run()


def open_service(settings: Settings, stack: ExitStack, stop: threading.Event) -> Service:
    """The producer, which starts with `run`. Its probes answer already.

    Args:
        settings: all groups; those of producer, Kafka, topics, contract and health are used.
        stack: closes what is opened.
        stop: ends the producer.

    Raises:
        ConfigError: a setting is wrong.
        UnavailableError: the checkpoints can't be opened.
    """
    failpoints.arm(os.environ.get(failpoints.VARIABLE))
    own = settings.producer
    new_parser = parsers(own, topic=settings.topics.raw, max_bytes=settings.contract.max_record_bytes)
    sources = open_sources(own)
    store = _open_store(own, stack)
    telemetry = Telemetry()
    telemetry.describe_process(version("ticketstream"), "none")
    monitor = Monitor(telemetry, max_stall_s=settings.health.max_stall_s)
    retry = Retry(stop, monitor)
    leases = Leases(store, owner=_owner(), lease_s=own.lease_s)
    outlet = Outlet(partial(open_sender, settings.kafka), dead_letters=settings.topics.dlq, now_ms=leases.now_ms)
    stack.callback(outlet.close)
    outlet.open()
    cluster = open_cluster(settings.kafka)
    producer = Producer(
        sources,
        store,
        Sending(outlet, leases=leases, retry=retry, monitor=monitor, rate=own.rate),
        leases=leases,
        retry=retry,
        monitor=monitor,
        files=FileReader(new_parser, max_line_bytes=_LINE_FACTOR * settings.contract.max_record_bytes),
        settings=own,
    )
    health = open_http_server(
        health_app(registry=telemetry.registry, alive=monitor.not_alive, ready=monitor.not_ready, warn=monitor.warning),
        stack,
        host=settings.health.host,
        port=PORT if settings.health.port is None else settings.health.port,
        setting="TICKETS_HEALTH__PORT",
        limits=_HEALTH,
        refused=partial(telemetry.count, "tickets_http_refused_total", "health"),
    )

    def wait_for_topics() -> None:
        retry("broker", partial(cluster.require_topics, [settings.topics.raw, settings.topics.dlq]))

    return Service(producer, wait_for_topics, health.port)


def open_sources(settings: ProducerSettings) -> Sequence[Source]:
    """The folders and buckets that the settings name.

    Raises:
        ConfigError: there is none, or one is wrong.
    """
    places = [place.strip() for place in settings.sources.split(",") if place.strip()]
    if not places:
        raise ConfigError(
            f"{_SOURCES} is not set; name folders, patterns such as /data/in/*.jsonl, or s3://bucket/prefix"
        )
    return [
        open_bucket(place, _SOURCES) if place.startswith("s3://") else open_folder(place, _SOURCES) for place in places
    ]


def _open_store(settings: ProducerSettings, stack: ExitStack) -> Checkpoints:
    if settings.store == "sqlite":
        return open_sqlite(settings.path, stack)
    if not settings.table:
        raise ConfigError("TICKETS_PRODUCER__TABLE is not set; name the table of the checkpoints")
    return open_dynamodb(settings.table, settings.aws_region)


def _owner() -> str:
    return f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}"
