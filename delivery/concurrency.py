"""How many calls a server is given at once: found by trying, since no setting fits an index at every hour.

Additive increase, multiplicative decrease. As in TCP Vegas (Brakmo and Peterson, 1994) latency is held against what
it would be if the best throughput seen so far still held: by Little's law n calls at once at a throughput of x take
n / x each, so a latency above that baseline says that the last slots were given in vain. That tells a server that
gains from more calls, though each takes longer, from one that only lets them queue, or that loses. A refusal for
overload lowers the limit at once, as in Vector's adaptive request concurrency (vector.dev, 2020).
"""

from typing import Final

from msgspec import Struct

#: Where the search begins: what a healthy index bears.
_FIRST: Final = 4
#: What a call costs beside its points, in points: so that small and large batches can be held against each other.
CALL_COST: Final = 16
#: A throughput this much above the best is a gain and no noise.
_GAIN: Final = 1.05
#: Below the best by so much it is a loss: latency is a tenth above its baseline.
_LOSS: Final = 0.9
#: A lower limit that does as well as this is the better one: less waits in the server.
_AS_GOOD: Final = 0.98
#: How far beyond the best limit a gain is looked for.
_REACH: Final = 1.5
#: Measurements at the best limit before looking around; doubled, up to the second, each time that is in vain.
_STAY: Final = 6
_STAY_MAX: Final = 24
_DECREASE: Final = 0.75
#: The weight of a new measurement at the best limit: it moves with the server.
_WEIGHT: Final = 0.3
#: Calls of a measurement: at least so many, and so many per slot.
_CALLS: Final = 48
_CALLS_PER_SLOT: Final = 3
#: Calls for which a limit that met a refusal is not tried again; doubled, up to the second, each time it is in vain.
_PATIENCE: Final = 1_000
_PATIENCE_MAX: Final = 16_000


class Call(Struct, frozen=True):
    """A call under way: how many were, with it, when it began, and under which limit."""

    inflight: int
    epoch: int


class AdaptiveLimit:
    """Between 1 and `most`. Not thread-safe: `delivery.gate` guards it."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._limit = min(_FIRST, most)
        self._epoch = 0
        self._lowered = 0  # the epoch that the last decrease began
        self._doubling = True
        self._best_throughput = 0.0
        self._best_limit = 1
        self._stay = _STAY
        self._stayed = 0
        self._upwards = False
        self._calls = 0
        self._work = 0.0
        self._latency_s = 0.0
        self._ceiling = most
        self._ceiling_calls = 0
        self._patience = _PATIENCE

    @property
    def limit(self) -> int:
        """How many calls may be under way now."""
        return self._limit

    def began(self, inflight: int) -> Call:
        """A call begins; `inflight` counts it too."""
        return Call(inflight, self._epoch)

    def succeeded(self, call: Call, *, latency_s: float, size: int) -> None:
        """A call wrote `size` points. Only calls that filled the limit they began under say anything about it."""
        if self._ceiling_calls:
            self._ceiling_calls -= 1
            if self._ceiling_calls == 0:
                self._ceiling = self._most
        if call.epoch != self._epoch or call.inflight < self._limit:
            return
        self._calls += 1
        self._work += size + CALL_COST
        self._latency_s += latency_s
        if self._calls >= max(_CALLS, _CALLS_PER_SLOT * self._limit):
            self._judge(self._limit * self._work / max(self._latency_s, 1e-9))

    def overloaded(self, call: Call) -> None:
        """A call was refused for overload, or timed out: one decrease for all that were under way with it."""
        if call.epoch < self._lowered:
            return
        met = min(call.inflight, self._limit)
        self._patience = min(_PATIENCE_MAX, self._patience * 2) if met == self._ceiling + 1 else self._patience
        self._ceiling, self._ceiling_calls = max(1, met - 1), self._patience
        self._best_limit = min(self._best_limit, self._ceiling)
        self._doubling = False
        self._change(_less(met))
        self._epoch += 1  # even where the limit is 1 already: those under way count once
        self._lowered = self._epoch

    def _judge(self, throughput: float) -> None:
        """The measurement at this limit is complete: go on, go back to the best, or leave it to look around."""
        limit, best = self._limit, self._best_throughput
        if limit == self._best_limit:
            if throughput < best * _LOSS:  # the server has changed: look around soon
                self._stay = _STAY
            self._best_throughput = best + _WEIGHT * (throughput - best) if best else throughput
            self._look_around()
        elif limit > self._best_limit and throughput > best * _GAIN:
            self._found(limit, throughput)
            self._increase()
        elif limit < self._best_limit and throughput > best * _AS_GOOD:
            self._found(limit, throughput)
            self._change(_less(limit))
        elif limit < self._best_limit or throughput < best * _LOSS or limit >= self._farthest():
            self._doubling = False
            self._stay = min(_STAY_MAX, self._stay * 2)
            self._change(self._best_limit)
        else:
            self._doubling = False
            self._increase()

    def _look_around(self) -> None:
        """At the best limit: stay for some measurements, then look above it and below it in turn."""
        self._doubling = self._doubling and self._limit < self._top()
        self._stayed += 1
        if self._doubling:
            self._increase()
        elif self._stayed < self._stay:
            self._change(self._limit)
        else:
            self._stayed = 0
            self._upwards = not self._upwards and self._limit < self._top()
            self._change(self._limit + 1 if self._upwards else _less(self._limit))

    def _found(self, limit: int, throughput: float) -> None:
        self._best_limit, self._best_throughput = limit, throughput
        self._stay, self._stayed = _STAY, 0

    def _top(self) -> int:
        return min(self._most, self._ceiling)

    def _farthest(self) -> int:
        """Where looking for a gain ends."""
        return min(self._top(), max(self._best_limit + 2, int(self._best_limit * _REACH)))

    def _increase(self) -> None:
        self._change(min(self._limit * 2 if self._doubling else self._limit + 1, self._top()))

    def _change(self, limit: int) -> None:
        """Begin a measurement at `limit`."""
        self._epoch += limit != self._limit
        self._limit = limit
        self._calls, self._work, self._latency_s = 0, 0.0, 0.0


def _less(limit: int) -> int:
    return max(1, int(limit * _DECREASE))
