"""Measures a service under an open-loop load while one of its dependencies fails."""

from collections.abc import Callable, Sequence
from typing import Final

import httpx
import numpy as np
from msgspec import Struct

from bench.serving.load import Answered, Wanted, openly
from bench.serving.service import Service

_MS: Final = 1_000


class Phases(Struct, frozen=True):
    """Seconds before, during and after a fault, and requests a second."""

    before: float = 5.0
    during: float = 15.0
    after: float = 20.0
    rate: float = 10.0

    @property
    def requests(self) -> int:
        """Number of requests of the load."""
        return int((self.before + self.during + self.after) * self.rate)


class Fault(Struct, frozen=True):
    """A fault: how it begins and ends. `end` returns once the dependency works again."""

    begin: Callable[[], None]
    end: Callable[[], None]


def measure_outage(
    service: Service, wanted: Sequence[Wanted], fault: Fault, phases: Phases, *, deadline_s: float
) -> tuple[list[Answered], dict[str, float]]:
    """The outcomes, and the figures of the requests that were due after the start of the fault.

    The figures: `typed`, the share of requests with a typed answer within the deadline; `answered`, the share of those
    during the fault with an answer and not a problem; `p95` in milliseconds, of all of them; and `recovery`, seconds
    from the end of the fault until no answer is degraded any more.
    """
    happenings = [(phases.before, fault.begin), (phases.before + phases.during, fault.end)]
    found = openly(service, wanted, rate=phases.rate, happenings=happenings)
    return found, figures(found, phases, deadline_s=deadline_s)


def figures(found: Sequence[Answered], phases: Phases, *, deadline_s: float) -> dict[str, float]:
    """See `measure_outage`."""
    ends = phases.before + phases.during
    since = [one for one in found if one.due >= phases.before]
    during = [one for one in since if one.due < ends]
    bad = [one.due + one.whole for one in found if one.due >= ends and not one.good]
    return {
        "rate": len(found) / (ends + phases.after),
        "typed": sum(one.typed and one.whole <= deadline_s for one in since) / len(since),
        "answered": sum(one.typed and httpx.codes.is_success(one.status) for one in during) / len(during),
        "p95": float(np.percentile([one.whole for one in since], 95)) * _MS,
        "recovery": max(bad, default=ends) - ends,
    }
