"""Sends each request when it is due, whether or not earlier ones have been answered, and returns the outcomes."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Final

import httpx
from msgspec import Struct

from bench.serving.service import Service
from synthetic.gold import GoldQuestion

ANSWERS: Final = "/api/v1/answers"
TICKETS: Final = "/api/v1/tickets"
_STREAM: Final = "text/event-stream"
_PROBLEM: Final = "application/problem+json"
#: The deadline of a request; after it the request counts as unanswered.
_TIMEOUT_S: Final = 30.0
_LEAD_S: Final = 0.5


class Wanted(Struct, frozen=True):
    """A request."""

    method: str
    path: str
    tenant_id: str
    body: dict[str, Any] | None = None
    streamed: bool = False


class Answered(Struct, frozen=True):
    """The outcome of a request. Times are in seconds; `whole` and `first` count from when it was due.

    Attributes:
        due: since the start of the load.
        first: until the first bytes of a stream.
        status: 0 without a response.
        typed: the response is a complete document of the API: an answer, or a problem.
        good: the response is an answer that isn't degraded.
    """

    due: float
    whole: float
    first: float | None = None
    status: int = 0
    typed: bool = False
    good: bool = False


#: An action during a load, with its time in seconds since the start.
Happening = tuple[float, Callable[[], None]]


def answers(questions: Sequence[GoldQuestion], *, begin: int = 0) -> Iterator[Wanted]:
    """Requests for answers, every second one as a stream. Numbers make them differ, so the cache answers none."""
    for number, one in enumerate(questions, begin):
        yield Wanted("POST", ANSWERS, one.tenant_id, {"question": f"{one.text} ({number})"}, streamed=bool(number % 2))


def one_by_one(service: Service, wanted: Sequence[Wanted]) -> list[Answered]:
    """Send each request after the previous one has been answered."""

    async def run() -> list[Answered]:
        async with httpx.AsyncClient(base_url=service.url, timeout=_TIMEOUT_S) as client:
            began = time.perf_counter()
            return [
                await _ask(client, service, number, one, began=began, due=None) for number, one in enumerate(wanted)
            ]

    return asyncio.run(run())


def openly(
    service: Service, wanted: Sequence[Wanted], *, rate: float, happenings: Sequence[Happening] = ()
) -> list[Answered]:
    """Send requests as a Poisson process of `rate` a second, while `happenings` happen in threads."""

    async def happen(began: float, at: float, what: Callable[[], None]) -> None:
        await asyncio.sleep(max(0.0, began + at - time.perf_counter()))
        await asyncio.to_thread(what)

    async def run() -> list[Answered]:
        rng, due = Random(7), 0.0  # noqa: S311 - a schedule
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=service.url, timeout=_TIMEOUT_S, limits=limits) as client:
            began, tasks = time.perf_counter() + _LEAD_S, []
            others = [asyncio.create_task(happen(began, at, what)) for at, what in happenings]
            for number, one in enumerate(wanted):
                due += rng.expovariate(rate)
                tasks.append(asyncio.create_task(_ask(client, service, number, one, began=began, due=due)))
            found = list(await asyncio.gather(*tasks))
            await asyncio.gather(*others)
            return found

    return asyncio.run(run())


async def _ask(
    client: httpx.AsyncClient, service: Service, number: int, one: Wanted, *, began: float, due: float | None
) -> Answered:
    """Send a request when it is due, in seconds after `began`; None means at once."""
    if due is None:
        due = time.perf_counter() - began
    await asyncio.sleep(max(0.0, began + due - time.perf_counter()))
    headers = {**service.headers(one.tenant_id, number), "Accept": _STREAM if one.streamed else "application/json"}
    first, body, response = None, b"", None
    try:
        async with client.stream(one.method, one.path, json=one.body, headers=headers) as response:
            async for piece in response.aiter_bytes():
                if first is None:
                    first = time.perf_counter() - began - due
                body += piece
    except httpx.TransportError:
        return Answered(due, time.perf_counter() - began - due, None, response.status_code if response else 0)
    whole = time.perf_counter() - began - due
    typed, good = judge(response.status_code, response.headers.get("content-type", ""), body)
    return Answered(due, whole, first if one.streamed else None, response.status_code, typed, good)


def judge(status: int, content_type: str, body: bytes) -> tuple[bool, bool]:
    """Whether a complete response is typed, and whether it is good: see `Answered`."""
    media_type = content_type.partition(";")[0]
    try:
        if media_type == _STREAM and status == httpx.codes.OK:
            return _judge_stream(body.decode())
        document = json.loads(body or b"{}")
    except ValueError:
        return False, False
    if media_type == _PROBLEM:
        return document.get("status") == status, False
    if status not in (httpx.codes.OK, httpx.codes.CREATED) or media_type != "application/json":
        return False, False
    return True, not _is_degraded(document.get("usage"))


def _judge_stream(text: str) -> tuple[bool, bool]:
    """Judge a stream, which must end with `done` or a problem."""
    blocks = text.replace("\r\n", "\n").split("\n\n")
    events: dict[str, Any] = {}
    for block in blocks:
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != ":")
        if "event" in fields:
            events[fields["event"]] = json.loads(fields["data"])
    if "done" in events:
        return True, not _is_degraded(events.get("usage"))
    return "status" in events.get("problem", {}), False


def _is_degraded(usage: dict[str, Any] | None) -> bool:
    return usage is not None and usage["degraded"] is not None
