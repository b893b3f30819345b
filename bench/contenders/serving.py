"""Measures the RAG service beside a worker with an embedded index: idle, and under open loads with and without ingest.

An open load sends each request when it is due, whether or not others have been answered, and its latency counts from
then. Every second request streams its answer. No question is repeated, so no answer comes from the cache.
"""

import asyncio
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Final

import httpx
import numpy as np
from msgspec import Struct

from bench.contenders.loads import open_producer, own_topic, send
from bench.corpus import synthetic_events
from bench.job import Job, Measured, answer
from bench.task import Task
from core.settings import Settings
from local.issuer import LocalIssuer, open_issuer
from local.processes import LocalProcess, open_process
from synthetic.gold import GoldQuestion, gold_questions

_ANSWERS: Final = "/api/v1/answers"
_RATE: Final = 20.0
_SECONDS: Final = 30.0
#: Tickets written per second during the load with ingest.
_INGEST: Final = 50.0
_WARM: Final = 20
_IDLE_REQUESTS: Final = 300
_START_S: Final = 60.0
_GLANCE_S: Final = 0.1
_TIMEOUT_S: Final = 30.0
_USERS: Final = 50


class _Answered(Struct, frozen=True):
    """Milliseconds to the first event of a stream and to the end, and the status."""

    first: float | None
    whole: float
    status: int


class _Service:
    """A RAG service as a process, and the tokens of its callers."""

    def __init__(self, url: str, issuer: LocalIssuer) -> None:
        self.url = url
        self._issuer = issuer
        self._tokens: dict[tuple[str, int], str] = {}

    def headers(self, tenant_id: str, number: int) -> dict[str, str]:
        """The headers of one of many agents."""
        key = (tenant_id, number % _USERS)
        if key not in self._tokens:
            self._tokens[key] = self._issuer.token(tenant_id, f"agent-{key[1]}", ["agent"])
        return {"Authorization": f"Bearer {self._tokens[key]}"}


_Load = Callable[[_Service, Sequence[GoldQuestion]], list[_Answered]]


async def _ask(
    client: httpx.AsyncClient, service: _Service, number: int, question: GoldQuestion, due: float
) -> _Answered:
    """Send a request at `due` by the performance counter (0: at once)."""
    await asyncio.sleep(max(0.0, due - time.perf_counter()))
    due = due or time.perf_counter()
    accept = "text/event-stream" if number % 2 else "application/json"
    headers = {**service.headers(question.tenant_id, number), "Accept": accept}
    body = {"question": f"{question.text} ({number})"}
    first = None
    async with client.stream("POST", _ANSWERS, json=body, headers=headers) as response:
        async for _piece in response.aiter_bytes():
            if number % 2 and first is None:
                first = (time.perf_counter() - due) * 1000
    return _Answered(first, (time.perf_counter() - due) * 1000, response.status_code)


def _one_by_one(service: _Service, questions: Sequence[GoldQuestion]) -> list[_Answered]:
    async def run() -> list[_Answered]:
        async with httpx.AsyncClient(base_url=service.url, timeout=_TIMEOUT_S) as client:
            return [await _ask(client, service, number, one, 0.0) for number, one in enumerate(questions)]

    return asyncio.run(run())


def _openly(service: _Service, questions: Sequence[GoldQuestion]) -> list[_Answered]:
    """Send requests as a Poisson process."""

    async def run() -> list[_Answered]:
        rng, due, tasks = Random(7), time.perf_counter() + 0.5, []  # noqa: S311 - a schedule
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=service.url, timeout=_TIMEOUT_S, limits=limits) as client:
            for number, one in enumerate(questions):
                due += rng.expovariate(_RATE)
                tasks.append(asyncio.create_task(_ask(client, service, number + 10**6, one, due)))
            return list(await asyncio.gather(*tasks))

    return asyncio.run(run())


def _measure(load: _Load, *, count: int, ingest: bool) -> Callable[[Job], Measured]:
    def run(job: Job) -> Measured:
        settings = own_topic()
        more = int(_INGEST * _SECONDS * 1.2) if ingest else 0
        events = synthetic_events(job.tickets + more)
        asked = [one for one in gold_questions(events[: job.tickets]) if one.kind != "nothing"]
        questions = list(islice(cycle(asked), count))
        with Task(sorted(os.sched_getaffinity(0)), {}) as task, ExitStack() as stack:
            task.wait_joined()
            producer = open_producer(settings)
            send(producer, settings, events[: job.tickets], due=lambda _number: 0.0)
            task.wait_acked(job.tickets)
            service = _open_service(settings, stack)
            _one_by_one(service, questions[:_WARM])
            began = time.time()
            writing = threading.Thread(
                target=send,
                args=(producer, settings, events[job.tickets :]),
                kwargs={"due": lambda number: began + number / _INGEST},
            )
            writing.start()
            found = load(service, questions)
            seconds = time.time() - began
            writing.join()
            task.wait_acked(len(events))
            report = task.stop()
        return Measured(
            tickets=len(found),
            texts=0,
            tokens=0,
            seconds=round(seconds, 4),
            cpu_seconds=round(report.cpu_seconds, 4),
            rss_mib=report.rss_mib,
            figures=_figures(found, seconds, ingest=ingest),
        )

    return run


def _open_service(settings: Settings, stack: ExitStack) -> _Service:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    issuer = open_issuer(stack)
    environment = {
        **os.environ,
        **issuer.variables,
        "TICKETS_RAG__PORT": "0",
        "TICKETS_RAG__FEEDBACK_FILE": str(folder / "feedback.db"),
        "TICKETS_INDEX__PATH": str(settings.index.path),
        "TICKETS_LOG__LEVEL": "info",  # a line has the port
        **{f"TICKETS_LIMITS__{whose}_REQUESTS": "1000000" for whose in ("USER", "TENANT", "ADDRESS")},
    }
    process = open_process("the RAG service", ["services.rag"], environment, folder / "log", stack)
    url = f"http://127.0.0.1:{_port(process)}"
    deadline = time.monotonic() + _START_S
    while httpx.get(f"{url}/ready").status_code != httpx.codes.OK:
        process.check()
        if time.monotonic() > deadline:
            raise RuntimeError("the RAG service does not find the index")
        time.sleep(_GLANCE_S)
    return _Service(url, issuer)


def _port(process: LocalProcess) -> int:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        process.check()
        for line in process.log.read_text().splitlines():
            port = json.loads(line).get("port") if line.startswith("{") else None
            if isinstance(port, int):
                return port
        time.sleep(_GLANCE_S)
    raise RuntimeError("the RAG service does not listen")


def _figures(found: Sequence[_Answered], seconds: float, *, ingest: bool) -> dict[str, float]:
    good = [one for one in found if one.status == httpx.codes.OK]
    whole = np.percentile([one.whole for one in good], [50, 95])
    first = np.percentile([one.first for one in good if one.first is not None], [50, 95])
    figures = {
        "rate": len(found) / seconds,
        "ingest": _INGEST if ingest else 0.0,
        "p50": float(whole[0]),
        "p95": float(whole[1]),
        "first p50": float(first[0]),
        "first p95": float(first[1]),
        "refused": float(len(found) - len(good)),
    }
    return {name: round(value, 3) for name, value in figures.items()}


CONTENDERS: Final = {
    "one after another": _measure(_one_by_one, count=_IDLE_REQUESTS, ingest=False),
    "20 requests/s": _measure(_openly, count=int(_RATE * _SECONDS), ingest=False),
    "20 requests/s beside ingest": _measure(_openly, count=int(_RATE * _SECONDS), ingest=True),
}

if __name__ == "__main__":
    answer(CONTENDERS)
