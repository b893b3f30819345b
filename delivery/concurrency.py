"""Adaptive limit of concurrent calls: additive increase, multiplicative decrease, steered by throughput.

Throughput at a limit is measured by Little's law: n calls at once with a mean latency of t complete n / t calls a
second. The limit rises by one while nothing is lost. It falls by a quarter when throughput falls below the best one
known, or when raising the limit by a third did not increase throughput. A refusal for overload lowers it at once.
Latency alone (TCP Vegas, Brakmo and Peterson, 1994; Netflix concurrency-limits, 2018) can't tell a server that still
gains from more calls from one that only queues them.
"""

from typing import Final

from msgspec import Struct

#: The limit at the start.
_FIRST: Final = 4
#: Fixed cost of a call, in points, so that small and large batches are comparable.
CALL_COST: Final = 16
#: If throughput falls below this share of the best, the higher limit is considered harmful: noise is smaller.
_LOSS: Final = 0.9
_DECREASE: Final = 0.75
#: Measurements at the best limit before another is tried; also the window of the best throughput's moving average.
_HOLD: Final = 8
#: Minimum calls of a measurement.
_LEAST_CALLS: Final = 48


class Call(Struct, frozen=True):
    """A call in flight.

    Attributes:
        inflight: calls in flight when it began, itself included.
        epoch: the epoch that it began in. An epoch lasts while the limit is unchanged.
    """

    inflight: int
    epoch: int


class AdaptiveLimit:
    """Between 1 and `max_limit`. Not thread-safe: `delivery.gate` guards it."""

    def __init__(self, *, max_limit: int) -> None:
        self._max_limit = max_limit
        self._limit = min(_FIRST, max_limit)
        self._epoch = 0
        self._lowered = 0  # the epoch begun by the last overload
        self._best_throughput = 0.0
        self._best_limit = 0
        self._held = 0
        self._calls = 0
        self._work = 0.0
        self._latency_s = 0.0

    @property
    def limit(self) -> int:
        """Maximum calls in flight now."""
        return self._limit

    def begin_call(self, inflight: int) -> Call:
        """Register a call; `inflight` counts it too."""
        return Call(inflight, self._epoch)

    def succeeded(self, call: Call, *, latency_s: float, size: int) -> None:
        """Measure a call that wrote `size` points, if it began while the present limit was fully used."""
        if call.epoch != self._epoch or call.inflight < self._limit:
            return
        self._calls += 1
        self._work += size + CALL_COST
        self._latency_s += latency_s
        if self._calls >= max(_LEAST_CALLS, 3 * self._limit):
            self._adjust(self._limit * self._work / max(self._latency_s, 1e-9))

    def overloaded(self, call: Call) -> None:
        """Lower the limit after a call was refused for overload or timed out, once for calls in flight together."""
        if call.epoch < self._lowered:
            return
        refused_at = min(call.inflight, self._limit)
        self._best_limit = min(self._best_limit, max(1, refused_at - 1))
        self._epoch += 1  # even if the limit stays at 1
        self._change(_decreased(refused_at))
        self._lowered = self._epoch

    def _adjust(self, throughput: float) -> None:
        limit = self._limit
        above = limit > self._best_limit
        harmful = above and throughput < self._best_throughput * _LOSS
        if limit == self._best_limit:
            self._best_throughput += (throughput - self._best_throughput) / _HOLD
            self._held += 1
        elif throughput > self._best_throughput:
            self._best_throughput, self._best_limit = throughput, limit
            self._held = _HOLD if above else 0  # a rise goes on at once
        if limit == self._best_limit and self._held < _HOLD:
            self._change(limit)
        elif harmful or limit >= min(self._max_limit, self._best_limit / _DECREASE):
            self._change(_decreased(limit))
        else:
            self._change(limit + 1)

    def _change(self, limit: int) -> None:
        """Begin a measurement at `limit`."""
        if limit != self._limit:
            self._epoch += 1
            self._held = 0
        self._limit = limit
        self._calls, self._work, self._latency_s = 0, 0.0, 0.0


def _decreased(limit: int) -> int:
    return max(1, int(limit * _DECREASE))
