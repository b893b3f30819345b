"""Measures the stream as one process, and split into two roles with a topic between them.

Both run under a backlog and under a light load. The embedding role alone, fed from a full topic, is the upper bound of
what a split stream can do.
"""

import os
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

import msgspec
import numpy as np
from confluent_kafka import Producer

from bench.contenders.loads import measured, open_producer, own_topic, send
from bench.corpus import synthetic_events
from bench.job import Job, Measured, answer
from bench.task import Report, Task
from connectors.kafka.admin import open_cluster
from connectors.kafka.reader import read_topic
from core.environment import load_settings
from core.settings import Settings
from synthetic.tickets import SyntheticRecord

_PARTITIONS: Final = 4
#: The light load, in tickets per second.
_RATE: Final = 20.0
_LOAD_S: Final = 15.0


def _single(cores: Sequence[int]) -> Callable[[Job], Measured]:
    """The whole stream in one process, on these cores."""

    def run(job: Job) -> Measured:
        settings = own_topic()
        with Task(cores, {}) as task:
            task.wait_joined()
            producer = _send(settings, synthetic_events(job.tickets))
            task.wait_acked(job.tickets)
            ages = _send_light_load(producer, settings, task, job.tickets)
            report = task.stop()
        return _row(job, [report], job.tickets, ages, settings)

    return run


def _enrichment_alone(job: Job) -> Measured:
    """The enrichment role, from a topic that is already full."""
    settings = _topics()
    _send(settings, synthetic_events(job.tickets))
    with Task([1], {}, role="enrichment") as enriching:
        enriching.wait_acked(job.tickets)
        report = enriching.stop()
    return _row(job, [report], job.tickets, [], settings)


def _embedding_alone(job: Job) -> Measured:
    """The embedding role, after the enrichment role has finished."""
    settings = _topics()
    with Task([0], {}, role="enrichment") as enriching:
        enriching.wait_joined()
        _send(settings, synthetic_events(job.tickets))
        enriching.wait_acked(job.tickets)
        enriching.stop()
    with Task([1], {}, role="embedding") as embedding:
        embedding.wait_acked(job.tickets)
        report = embedding.stop()
    return _row(job, [report], job.tickets, [], settings)


def _both(job: Job) -> Measured:
    """Both roles at once, on one core each."""
    settings = _topics()
    with Task([0], {}, role="enrichment") as enriching, Task([1], {}, role="embedding") as embedding:
        enriching.wait_joined()
        embedding.wait_joined()
        producer = _send(settings, synthetic_events(job.tickets))
        embedding.wait_acked(job.tickets)
        ages = _send_light_load(producer, settings, embedding, job.tickets)
        reports = [enriching.stop(), embedding.stop()]
    return _row(job, reports, job.tickets, ages, settings)


def _send_light_load(producer: Producer, settings: Settings, last: Task, before: int) -> list[tuple[int, float]]:
    """Send a light load at random times; return the start and the due time of each record, in order."""
    events = synthetic_events(before + int(_RATE * _LOAD_S))[before:]
    rng, began = Random(7), time.time()  # noqa: S311 - a schedule
    dues = np.cumsum([rng.expovariate(_RATE) for _ in events])
    send(producer, settings, events, due=lambda number: began + float(dues[number]))
    last.wait_acked(before + len(events))
    return [(int(began * 1000), float(due)) for due in dues]


def _row(
    job: Job, reports: Sequence[Report], backlog: int, ages: Sequence[tuple[int, float]], settings: Settings
) -> Measured:
    """The row: the speed counts the records of the backlog only, from the first read to the last ack."""
    *_, last = reports
    first = min(report.first for report in reports)
    seconds = last.acks[backlog - 1][1] / 1000 - first
    rate = backlog / seconds
    figures = {"rate": rate, "of embedding": rate / job.speed if job.speed else 1.0}
    if ages:
        began, _due = ages[0]
        found = [acked - due for due, acked in last.acks[backlog:] if due >= began]
        figures["p50"], figures["p95"] = (float(n) for n in np.percentile(found, [50, 95]))
    if len(reports) > 1:
        topics = settings.topics
        for name, topic in (("raw", topics.raw), ("enriched", topics.enriched), ("embedded", topics.embedded)):
            figures[name] = _bytes_each(settings, topic)
    row = measured(reports)
    return msgspec.structs.replace(
        row,
        tickets=backlog,
        seconds=round(seconds, 4),
        figures={name: round(number, 3) for name, number in figures.items()},
    )


def _bytes_each(settings: Settings, topic: str) -> float:
    """Mean bytes of a record on the broker, before compression: key, value and headers."""
    sizes = [
        len(record.key or b"")
        + len(record.value or b"")
        + sum(len(name) + len(value or b"") for name, value in record.headers)
        for record in read_topic(settings.kafka, topic, partitions=_PARTITIONS)
    ]
    return float(np.mean(sizes))


def _send(settings: Settings, events: Sequence[SyntheticRecord]) -> Producer:
    """Send a backlog, and return the producer, which is connected by then."""
    producer = open_producer(settings)
    send(producer, settings, events, due=lambda _number: 0.0)
    return producer


def _topics() -> Settings:
    """Create three topics for this run alone."""
    raw = own_topic().topics.raw
    for name in ("enriched", "embedded"):
        os.environ[f"TICKETS_TOPICS__{name.upper()}"] = f"{raw}-{name}"
    settings = load_settings()
    for topic in (settings.topics.enriched, settings.topics.embedded):
        open_cluster(settings.kafka).create_topic(topic, partitions=_PARTITIONS, replication=1, config={})
    return settings


CONTENDERS: Final = {
    "the embedding role alone, on one core": _embedding_alone,
    "the enrichment role alone, on one core": _enrichment_alone,
    "both roles, on one core each": _both,
    "one process, on one core": _single([1]),
    "one process, on two cores": _single([0, 1]),
}

if __name__ == "__main__":
    answer(CONTENDERS)
