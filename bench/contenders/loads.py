"""Measures workers in processes of their own: under a backlog, and under open loads.

An open load sends tickets when they are due, whether or not the worker keeps up, and a ticket's age counts from when it
was due. The same goes for the searches meanwhile, ten a second.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from random import Random
from threading import Timer
from typing import Final

import msgspec
import numpy as np
from confluent_kafka import Producer

from bench.corpus import synthetic_events
from bench.job import Job, Measured, answer
from bench.task import Report, Task, wait_all_acked
from connectors.kafka.admin import open_cluster
from connectors.kafka.options import producer_options
from core.environment import load_settings
from core.index import SearchQuery
from core.settings import Settings
from runtime.searcher import Searcher, open_searcher
from synthetic.tickets import SyntheticRecord, questions

_PARTITIONS: Final = 4
_WARM: Final = 256
_LEAST_S: Final = 10.0
_QUESTIONS_PER_S: Final = 10
_IDLE_S: Final = 10.0
#: Time for a group of several members to finish its rebalance.
_SHARE_OUT_S: Final = 3.0
#: Rate of the saturating load, as a multiple of the rate at which a backlog is processed.
_EXCESS: Final = 1.5
#: A worker that acks this share of the offered load is not saturated.
_KEPT_UP: Final = 0.95
_TRIES: Final = 3
_TOPIC: Final = "TICKETS_TOPICS__RAW"


def _backlog(tasks: int, cores: int) -> Callable[[Job], Measured]:
    """Run `tasks` workers of one group against a backlog, each on cores of its own."""

    def run(job: Job) -> Measured:
        if tasks * cores > os.cpu_count():  # type: ignore[operator]  # known on Linux
            raise RuntimeError(f"{tasks * cores} cores are needed")
        settings = own_topic()
        path = str(settings.index.path)
        running = [
            Task(range(number * cores, (number + 1) * cores), {"TICKETS_INDEX__PATH": f"{path}-{number}"})
            for number in range(tasks)
        ]
        for task in running:
            task.wait_joined()
        time.sleep(_SHARE_OUT_S if tasks > 1 else 0)
        sent = send(open_producer(settings), settings, synthetic_events(job.tickets), due=lambda _number: 0.0)
        wait_all_acked(running, sent)
        return measured([task.stop() for task in running])

    return run


def _saturated(job: Job) -> Measured:
    """Offer an open load above the worker's capacity, and measure its rate beside producer, broker and searches.

    A backlog measures the rate to exceed first. The result counts the acks during the load, except in its first
    quarter. A load that the worker keeps up with is doubled, at most twice, before RuntimeError is raised.
    """
    settings, sent = own_topic(), max(_WARM, job.tickets // 2)
    with Task(sorted(os.sched_getaffinity(0)), {}) as task, ExitStack() as stack:
        task.wait_joined()
        producer, began = open_producer(settings), time.time()
        send(producer, settings, synthetic_events(sent), due=lambda _number: 0.0)
        task.wait_acked(sent)
        offered = _EXCESS * sent / (time.time() - began)
        searcher = open_searcher(settings, stack)
        for _ in range(_TRIES):
            count = int(offered * max(_LEAST_S, job.tickets / offered))
            events = synthetic_events(sent + count)[sent:]
            searching, began, before = _Searching(searcher), time.time(), task.acked
            marks: list[tuple[float, int]] = []
            Timer(count / offered / 4, partial(_mark, marks, task)).start()
            send(producer, settings, events, due=partial(_evenly, began, offered))
            (from_s, from_acked), ended, acked = marks[0], time.time(), task.acked
            searching.stop()
            sent += count
            task.wait_acked(sent)
            if acked - before < _KEPT_UP * count:
                seconds = round(ended - from_s, 4)
                tickets = acked - from_acked
                figures = {"offered": round(offered, 3), "acked": round(tickets / seconds, 3)}
                row = measured([task.stop()])
                return msgspec.structs.replace(row, tickets=tickets, seconds=seconds, figures=figures)
            offered *= 2
    raise RuntimeError(f"the worker keeps up with {offered / 2:.0f} tickets/s: this machine can't offer it more")


def _mark(marks: list[tuple[float, int]], task: Task) -> None:
    marks.append((time.time(), task.acked))


def _evenly(began: float, rate: float, number: int) -> float:
    """When the record of this number is due, in seconds since 1970."""
    return began + number / rate


def _load(share: float) -> Callable[[Job], Measured]:
    """Offer an open load (a Poisson process) at a share of the saturated rate, for at least ten seconds."""

    def run(job: Job) -> Measured:
        settings, rate = own_topic(), job.speed * share
        events = synthetic_events(_WARM + int(rate * max(_LEAST_S, job.tickets / job.speed)))
        rng = Random(7)  # noqa: S311 - a schedule
        dues = np.cumsum([rng.expovariate(rate) for _ in events[_WARM:]])
        with Task(sorted(os.sched_getaffinity(0)), {}) as task:
            task.wait_joined()
            producer = open_producer(settings)
            send(producer, settings, events[:_WARM], due=lambda _number: 0.0)
            task.wait_acked(_WARM)
            with ExitStack() as stack:
                searcher = _open_warm_searcher(settings, stack)
                searching = _Searching(searcher)
                began = time.time()
                send(producer, settings, events[_WARM:], due=lambda number: began + float(dues[number]))
                busy = searching.stop()
                task.wait_acked(len(events))
                time.sleep(1)
                searching = _Searching(searcher)
                time.sleep(_IDLE_S)
                idle = searching.stop()
            report = task.stop()
        ages = [acked - due for due, acked in report.acks if due >= int(began * 1000)]
        assert len(ages) == len(events) - _WARM, "every ticket was acked"
        figures = {"offered": rate, **_latencies(ages, busy, idle)}
        found = measured([report])
        return msgspec.structs.replace(found, figures={name: round(n, 3) for name, n in figures.items()})

    return run


def _open_warm_searcher(settings: Settings, stack: ExitStack) -> Searcher:
    searcher = open_searcher(settings, stack)
    for question in list(questions())[:8]:
        searcher.search(question.text, SearchQuery(tenant_id=question.tenant_id))
    return searcher


def _latencies(ages: Sequence[float], busy: Sequence[float], idle: Sequence[float]) -> dict[str, float]:
    """Percentiles of the tickets' ages, and of the searches under the load and after it, in milliseconds."""
    p50, p95, p99 = (float(n) for n in np.percentile(ages, [50, 95, 99]))
    busy_p50, busy_p95 = (float(n) for n in np.percentile(busy, [50, 95]))
    idle_p50, idle_p95 = (float(n) for n in np.percentile(idle, [50, 95]))
    return {
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "search p50": busy_p50,
        "search p95": busy_p95,
        "idle p50": idle_p50,
        "idle p95": idle_p95,
        "search ratio": busy_p95 / idle_p95,
    }


class _Searching:
    """Searches ten times a second until `stop`, each time in a thread of its own."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._end = threading.Event()
        self._found: list[float] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> list[float]:
        """Stop, and return the milliseconds of each search."""
        self._end.set()
        self._thread.join()
        return self._found

    def _run(self) -> None:
        asked, began, threads = list(questions()), time.time(), []
        number = 0
        while not self._end.wait(max(0.0, began + number / _QUESTIONS_PER_S - time.time())):
            question = asked[number % len(asked)]
            thread = threading.Thread(target=self._ask, args=(question.text, question.tenant_id))
            thread.start()
            threads.append(thread)
            number += 1
        for thread in threads:
            thread.join()

    def _ask(self, text: str, tenant_id: str) -> None:
        began = time.perf_counter()
        self._searcher.search(text, SearchQuery(tenant_id=tenant_id))
        self._found.append((time.perf_counter() - began) * 1000)


def own_topic() -> Settings:
    """Create a topic for this run alone."""
    os.environ[_TOPIC] = f"tickets.{load_settings().kafka.group}"
    settings = load_settings()
    open_cluster(settings.kafka).create_topic(settings.topics.raw, partitions=_PARTITIONS, replication=1, config={})
    return settings


def open_producer(settings: Settings) -> Producer:
    """A producer that lingers for a millisecond only."""
    return Producer({**producer_options(settings.kafka), "linger.ms": 1})


def send(
    producer: Producer, settings: Settings, events: Sequence[SyntheticRecord], *, due: Callable[[int], float]
) -> int:
    """Send each event at its due time (seconds since 1970, or 0 for at once), which becomes its `updated_at`."""
    for number, event in enumerate(events):
        at, value = due(number), event.value
        if at and value is not None:
            value = msgspec.json.encode({**msgspec.json.decode(value), "updated_at": int(at * 1000)})
            while (left := at - time.time()) > 0:
                producer.poll(min(left, 0.01))
        producer.produce(settings.topics.raw, value, event.key, headers=list(event.headers))
    producer.flush()
    return len(events)


def measured(reports: Sequence[Report]) -> Measured:
    """The result of tasks that shared the work."""
    seconds = max(report.last for report in reports) - min(report.first for report in reports)
    return Measured(
        tickets=sum(len(report.acks) for report in reports),
        texts=0,
        tokens=sum(report.tokens for report in reports),
        seconds=round(seconds, 4),
        cpu_seconds=round(sum(report.cpu_seconds for report in reports), 4),
        rss_mib=max(report.rss_mib for report in reports),
    )


CONTENDERS: Final = {
    "a saturating load": _saturated,
    "10 % of saturation": _load(0.1),
    "50 % of saturation": _load(0.5),
    "90 % of saturation": _load(0.9),
    "120 % of saturation": _load(1.2),
    "one task on one core": _backlog(1, 1),
    "two tasks on two cores": _backlog(2, 1),
}

if __name__ == "__main__":
    answer(CONTENDERS)
