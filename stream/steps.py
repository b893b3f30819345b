"""The wrapper around every operator: it skips rejected records, measures the time and isolates faulty records."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, Never, cast

from msgspec import Struct, structs

from core.errors import FatalError, TicketstreamError
from core.records import Batch, Item, Rejected, Stage, record_of
from delivery.dependency import Dependency
from stream.telemetry import StreamTelemetry

logger: Final = logging.getLogger("ticketstream.steps")

#: A batch operator with its resources bound: as many items out as in, in order. `stream.plan` orders the steps so that
#: each accepts the output of the one before it. `Never` allows operators with different input types in one list.
Operator = Callable[[Sequence[Never]], Sequence[Item]]


class Step(Struct, frozen=True):
    """An operator at its place in a pipeline.

    Attributes:
        name: its label in metrics and messages.
        stage: stage of the dead letters of records that it fails on.
        pure: does no I/O, so that an exception means a bad record.
        calls: name of the dependency that it calls, if any. Its outages are retried.
        whole: the batch is retried as a whole, and the operator keeps the results of earlier attempts; otherwise each
            record's call is retried by itself.
        leaves_out: label of the parts that it cuts from tickets with too many, if any.
    """

    name: str
    stage: Stage
    operator: Operator
    pure: bool = True
    calls: str = ""
    leaves_out: str = ""
    whole: bool = False


def run_step(step: Step, batch: Batch[Item], telemetry: StreamTelemetry) -> Batch[Item]:
    """Run `step` on `batch`: rejected items keep their places, and the others are replaced.

    Raises:
        FatalError: the operator returned more or fewer items than it was given, or failed for a reason other than a
            bad record.
    """
    began = time.perf_counter()
    good: list[Item] = [item for item in batch.items if not isinstance(item, Rejected)]
    results = iter(_apply(step, good) if good else ())
    items = tuple(item if isinstance(item, Rejected) else next(results) for item in batch.items)
    telemetry.ran_step(step.name, time.perf_counter() - began, len(good))
    if step.leaves_out:
        telemetry.left_out(step.leaves_out, items)
    return Batch(items, batch.receipt)


def run_steps(
    steps: Sequence[Step],
    batch: Batch[Item],
    *,
    telemetry: StreamTelemetry,
    dependencies: Mapping[str, Dependency],
) -> Batch[Item]:
    """Run all of `steps` on `batch`. Outages of the dependencies that they call are retried.

    Raises:
        FatalError: as `run_step`; or the worker stops during a retry.
    """
    for step in steps:
        retried = _with_retries(step, dependencies[step.calls]) if step.calls else step
        batch = run_step(retried, batch, telemetry)
    return batch


def _with_retries(step: Step, dependency: Dependency) -> Step:
    """`step`, with its outages retried: of the batch as a whole, or of each record separately."""

    def at_once(items: Sequence[Never]) -> Sequence[Item]:
        return dependency.call(partial(step.operator, items), size=len(items))

    def one_by_one(items: Sequence[Never]) -> list[Item]:
        results: list[Item] = []
        for item in cast("Sequence[Item]", items):
            results += dependency.call(partial(step.operator, cast("Sequence[Never]", [item])), size=1)
        return results

    return structs.replace(step, operator=at_once if step.whole else one_by_one)


def _apply(step: Step, items: Sequence[Item]) -> Sequence[Item]:
    try:
        results = step.operator(cast("Sequence[Never]", items))
    except TicketstreamError:
        raise
    except Exception as error:
        if not step.pure:
            raise FatalError(f"{step.name} failed: {_name(error)}") from error
        logger.warning("%s failed on a batch: %s; running it on each record separately", step.name, _name(error))
        return _apply_singly(step, items)
    if len(results) != len(items):
        raise FatalError(f"{step.name} returned {len(results)} results for {len(items)} records")
    return results


def _apply_singly(step: Step, items: Sequence[Item]) -> Sequence[Item]:
    """Run the step on one record at a time, so that only the faulty records are dead-lettered."""
    results: list[Item] = []
    for item in items:
        try:
            results.extend(step.operator(cast("Sequence[Never]", [item])))
        except Exception as error:  # noqa: BLE001 - any error is attributed to this record
            results.append(Rejected(record_of(item), step.stage, "fault", f"{step.name} failed: {_name(error)}"))
    return results


def _name(error: Exception) -> str:
    """The class of the error, as its message may quote the ticket."""
    return type(error).__name__
