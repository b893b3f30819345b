"""Workers as processes of their own under a backlog, on as many cores as given, and under loads that don't wait.

A load is open: tickets are sent when they are due, whether or not the worker keeps up, and a ticket's age counts from
when it was due. So do the questions that are asked meanwhile, ten a second.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from random import Random
from typing import Any, Final

import msgspec
import numpy as np
from confluent_kafka import Producer

from bench.corpus import synthetic_events
from bench.job import Job, Measured, answer
from bench.task import Report, Task, wait_all_acked
from connectors.kafka.admin import Cluster
from connectors.kafka.options import producer_options
from core.environment import load_settings
from core.records import SearchQuery
from core.settings import Settings
from runtime.searcher import Searcher, open_searcher
from synthetic.tickets import SyntheticRecord, questions

_PARTITIONS: Final = 4
_WARM: Final = 256
_LEAST_S: Final = 10.0
_QUESTIONS_PER_S: Final = 10
_IDLE_S: Final = 10.0
#: Until a group of several has shared its partitions out.
_SHARE_OUT_S: Final = 3.0
_TOPIC: Final = "TICKETS_TOPICS__RAW"


def _backlog(tasks: int, cores: int, *, asked: bool = False) -> Callable[[Job], Measured]:
    """So many tasks of one group, each on cores of its own, or on all; questions are asked meanwhile, or not."""

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
        with ExitStack() as stack:
            searching = _Searching(open_searcher(settings, stack)) if asked else None
            wait_all_acked(running, sent)
            if searching is not None:
                searching.stop()
        return measured([task.stop() for task in running])

    return run


def _load(share: float) -> Callable[[Job], Measured]:
    """Tickets at a share of the backlog's speed, at random moments (a Poisson process), for as long as that ran."""

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
                searcher = open_searcher(settings, stack)
                for question in list(questions())[:8]:
                    searcher.search(question.text, SearchQuery(tenant_id=question.tenant_id))
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
        ages = np.array([acked - due for due, acked in report.acks if due >= int(began * 1000)])
        assert len(ages) == len(events) - _WARM, "every ticket was acked"
        p50, p95, p99 = np.percentile(ages, [50, 95, 99])
        busy_p50, busy_p95 = np.percentile(busy, [50, 95])
        idle_p50, idle_p95 = np.percentile(idle, [50, 95])
        figures = {
            "offered": rate,
            "p50": p50,
            "p95": p95,
            "p99": p99,
            "search p50": busy_p50,
            "search p95": busy_p95,
            "idle p50": idle_p50,
            "idle p95": idle_p95,
            "search ratio": busy_p95 / idle_p95,
        }
        found = measured([report])
        return msgspec.structs.replace(found, figures={name: round(float(n), 3) for name, n in figures.items()})

    return run


class _Searching:
    """Asks ten questions a second from construction to `stop`, each in a thread of its own."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._end = threading.Event()
        self._found: list[float] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> list[float]:
        """Milliseconds of each answer."""
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
    """A topic of this run alone."""
    os.environ[_TOPIC] = f"tickets.{load_settings().kafka.group}"
    settings = load_settings()
    Cluster(settings.kafka).create_topic(settings.topics.raw, partitions=_PARTITIONS, replication=1, config={})
    return settings


def open_producer(settings: Settings) -> Any:
    """One that waits little for company."""
    return Producer({**producer_options(settings.kafka), "linger.ms": 1})


def send(producer: Any, settings: Settings, events: Sequence[SyntheticRecord], *, due: Callable[[int], float]) -> int:
    """Each when it is due (seconds since 1970; 0: at once), with that moment as the time in the event."""
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
    """Of tasks that did the same work together."""
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
    "a backlog": _backlog(1, len(os.sched_getaffinity(0)), asked=True),
    "10 % of its rate": _load(0.1),
    "50 % of its rate": _load(0.5),
    "90 % of its rate": _load(0.9),
    "120 % of its rate": _load(1.2),
    "one task on one core": _backlog(1, 1),
    "two tasks on two cores": _backlog(2, 1),
}

if __name__ == "__main__":
    answer(CONTENDERS)
