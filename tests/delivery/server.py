"""A server as a discrete-event simulation: its throughput depends on the number of concurrent calls."""

from collections.abc import Callable
from random import Random

from msgspec import Struct

from delivery.concurrency import AdaptiveLimit, Call

#: Calls completed a second, by calls in flight.
Curve = Callable[[int], float]


class Outcome(Struct, frozen=True):
    """Throughput in calls a second, the share of refused calls, and the limit at the end."""

    throughput: float
    refused: float
    limit: int


class _Job(Struct):
    call: Call
    began: float
    left: float
    size: float


def simulate(
    limit: AdaptiveLimit,
    curve: Curve,
    *,
    seed: int,
    calls: int,
    skip: int,
    capacity: int | None = None,
) -> Outcome:
    """Keep the server as busy as `limit` allows, and measure after `skip` calls.

    Processor sharing: each of n calls progresses at curve(n) / n. Half of a call's size is fixed, half exponential.
    A call beyond `capacity` is refused at once, and its caller waits 0.1 s on average before the next call.
    """
    rng = Random(seed)
    now, done, refused, began_at = 0.0, 0, 0, 0.0
    running: list[_Job] = []
    waiting: list[float] = []  # when each refused caller calls again
    while done < calls + skip:
        waiting = [until for until in waiting if until > now]
        while len(running) + len(waiting) < limit.limit:
            call = limit.begin_call(len(running) + 1)
            if capacity is not None and len(running) >= capacity:
                limit.overloaded(call)
                refused += done >= skip
                waiting.append(now + rng.expovariate(1 / 0.1))
                continue
            size = 0.5 + 0.5 * rng.expovariate(1)
            running.append(_Job(call, now, size, size))
        rate = curve(len(running)) / len(running)
        first = min(running, key=lambda job: job.left)
        step = first.left / rate
        now += step
        for job in running:
            job.left -= step * rate
        running.remove(first)
        if done == skip:
            began_at = now
        done += 1
        limit.succeeded(first.call, latency_s=now - first.began, size=256)
    return Outcome(calls / (now - began_at), refused / (calls + refused), limit.limit)


class Fixed(AdaptiveLimit):
    """A constant limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(max_limit=limit)
        self._limit = limit

    def _change(self, limit: int) -> None:
        pass
