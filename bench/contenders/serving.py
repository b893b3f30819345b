"""Measures the services: idle, under open loads with and without ingest, and while something that they need fails.

An open load sends each request when it is due, whether or not others have been answered, and its latency counts from
then. Every second request streams its answer. No question is repeated, so no answer comes from the cache.
"""

import resource
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

import httpx
import numpy as np

from bench.contenders.loads import own_topic
from bench.job import Job, Measured, answer
from bench.serving.faults import FAULTS, Preparation, Prepare
from bench.serving.load import Answered, Wanted, one_by_one, openly
from bench.serving.outage import Phases, measure_outage
from bench.serving.service import Service
from bench.serving.stage import open_stage
from bench.serving.tables import changes, open_throttled

_RATE: Final = 20.0
_SECONDS: Final = 30.0
#: Tickets written per second during the load with ingest.
_INGEST: Final = 50.0
_IDLE_REQUESTS: Final = 300
_MS: Final = 1_000
_PHASES: Final = Phases()
#: Maximum time of an answer in an outage, in seconds; and with the wait for its turn.
_TIMEOUT_S: Final = 5.0
_DEADLINE_S: Final = _TIMEOUT_S + 2.5

_Load = Callable[[Service, Sequence[Wanted]], list[Answered]]


def _measure(load: _Load, *, count: int, ingest: bool) -> Callable[[Job], Measured]:
    def run(job: Job) -> Measured:
        more = int(_INGEST * _SECONDS * 1.2) if ingest else 0
        with ExitStack() as stack:
            stage = open_stage(stack, {}, tickets=job.tickets, more=more)
            began = time.time()
            writing = threading.Thread(target=stage.write_more, kwargs={"began": began, "rate": _INGEST})
            writing.start()
            found = load(stage.service, stage.wanted(count))
            seconds = time.time() - began
            writing.join()
            stage.task.wait_acked(len(stage.events))
            report = stage.close()
        row = _row(found, seconds, _figures(found, seconds, ingest=ingest))
        return Measured(row.tickets, 0, 0, row.seconds, round(report.cpu_seconds, 4), report.rss_mib, row.figures)

    return run


def _openly(service: Service, wanted: Sequence[Wanted]) -> list[Answered]:
    return openly(service, wanted, rate=_RATE)


def _figures(found: Sequence[Answered], seconds: float, *, ingest: bool) -> dict[str, float]:
    good = [one for one in found if one.status == httpx.codes.OK]
    whole = np.percentile([one.whole for one in good], [50, 95]) * _MS
    first = np.percentile([one.first for one in good if one.first is not None], [50, 95]) * _MS
    return {
        "rate": len(found) / seconds,
        "ingest": _INGEST if ingest else 0.0,
        "p50": float(whole[0]),
        "p95": float(whole[1]),
        "first p50": float(first[0]),
        "first p95": float(first[1]),
        "refused": float(len(found) - len(good)),
    }


def _fail(prepare: Prepare) -> Callable[[Job], Measured]:
    """Load the RAG service while something fails."""

    def run(job: Job) -> Measured:
        with ExitStack() as stack:
            prepared = Preparation(stack, {"TICKETS_RAG__TIMEOUT_S": str(_TIMEOUT_S)})
            make = prepare(prepared)
            stage = open_stage(stack, prepared.variables, tickets=job.tickets)
            fault = make(stage)
            wanted = stage.wanted(_PHASES.requests)
            found, figures = measure_outage(stage.service, wanted, fault, _PHASES, deadline_s=_DEADLINE_S)
        return _row(found, len(found) / figures["rate"], figures)

    return run


def _throttle(_job: Job) -> Measured:
    """Load the ticket API while DynamoDB throttles it."""
    with ExitStack() as stack:
        service, fault = open_throttled(own_topic(), stack)
        wanted = changes(_PHASES.requests)
        found, figures = measure_outage(service, wanted, fault, _PHASES, deadline_s=_DEADLINE_S)
    return _row(found, len(found) / figures["rate"], figures)


def _row(found: Sequence[Answered], seconds: float, figures: dict[str, float]) -> Measured:
    """The figures, beside the peak memory of this process."""
    rounded = {name: round(value, 3) for name, value in figures.items()}
    rss_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Measured(len(found), 0, 0, round(seconds, 4), round(time.process_time(), 4), rss_mib, rounded)


CONTENDERS: Final = {
    "one after another": _measure(one_by_one, count=_IDLE_REQUESTS, ingest=False),
    "20 requests/s": _measure(_openly, count=int(_RATE * _SECONDS), ingest=False),
    "20 requests/s beside ingest": _measure(_openly, count=int(_RATE * _SECONDS), ingest=True),
    **{name: _fail(prepare) for name, prepare in FAULTS.items()},
    "DynamoDB throttling": _throttle,
}

if __name__ == "__main__":
    answer(CONTENDERS)
