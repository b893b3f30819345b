"""One wrapper around every operator: it keeps rejected records out of the way, times, and isolates a fault."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from msgspec import Struct, structs

from core.errors import FatalError, TicketstreamError
from core.records import Batch, Rejected, Stage
from delivery.target import Target
from worker.telemetry import Telemetry

logger: Final = logging.getLogger("ticketstream.steps")

#: A batch operator with its resources bound: as many out as in, in order.
Operator = Callable[[Sequence[Any]], Sequence[Any]]
#: Makes a call until it succeeds.
Insist = Callable[[Callable[[], Sequence[Any]]], Sequence[Any]]


class Step(Struct, frozen=True):
    """An operator at its place in a graph.

    Attributes:
        pure: it calls nobody. When it raises, the record is at fault and not the world.
        asks: whom it asks, by the name that logs and metrics have; an outage of theirs is waited out.
    """

    name: str
    stage: Stage
    operator: Operator
    pure: bool = True
    asks: str = ""


def run_step(step: Step, batch: Batch[Any], telemetry: Telemetry) -> Batch[Any]:
    """`batch` after `step`: rejected items stay where they are, the others are replaced.

    Raises:
        FatalError: the operator broke its law of as many out as in, or failed and it isn't one record's fault.
    """
    began = time.perf_counter()
    good = [item for item in batch.items if not isinstance(item, Rejected)]
    results = iter(_apply(step, good)) if good else iter(())
    items = tuple(item if isinstance(item, Rejected) else next(results) for item in batch.items)
    telemetry.did(step.name, time.perf_counter() - began, len(good))
    return Batch(items, batch.receipt)


def run_steps(
    steps: Sequence[Step], batch: Batch[Any], *, telemetry: Telemetry, targets: Mapping[str, Target]
) -> Batch[Any]:
    """`batch` after all of `steps`; an outage of whom one of them asks is waited out.

    Raises:
        FatalError: as `run_step`, or the worker stops meanwhile.
    """
    for step in steps:
        asking = insisting(step, partial(targets[step.asks].insist, size=1)) if step.asks else step
        batch = run_step(asking, batch, telemetry)
    return batch


def insisting(step: Step, insist: Insist) -> Step:
    """`step`, that insists on each record's answer: one that fails now and then costs no other its own."""

    def one_by_one(items: Sequence[Any]) -> list[Any]:
        return [result for item in items for result in insist(partial(step.operator, [item]))]

    return structs.replace(step, operator=one_by_one)


def _apply(step: Step, items: Sequence[Any]) -> Sequence[Any]:
    try:
        results = step.operator(items)
    except TicketstreamError:
        raise
    except Exception as error:
        if not step.pure:
            raise FatalError(f"{step.name} failed: {_name(error)}") from error
        logger.warning("%s failed on a batch: %s; trying its records one by one", step.name, _name(error))
        return _apply_singly(step, items)
    if len(results) != len(items):
        raise FatalError(f"{step.name} returned {len(results)} results for {len(items)} records")
    return results


def _apply_singly(step: Step, items: Sequence[Any]) -> Sequence[Any]:
    """A record that our own code can't stand must not stop the others, nor be lost."""
    results: list[Any] = []
    for item in items:
        try:
            results.extend(step.operator([item]))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this record's
            results.append(Rejected(record_of(item), step.stage, "fault", f"{step.name} failed: {_name(error)}"))
    return results


def record_of(item: Any) -> Any:
    """The record an item was made from; each kind nests the one before."""
    while (
        inner := next((getattr(item, n) for n in ("enriched", "ticket", "record") if hasattr(item, n)), None)
    ) is not None:
        item = inner
    return item


def _name(error: Exception) -> str:
    """The error's kind only: its message may quote the ticket."""
    return type(error).__name__
