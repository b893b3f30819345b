"""Batching parameters of this machine: the size of a batch and the overhead of a call. Measured once, and kept."""

import contextlib
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from core.cpu import Cpu
from models.device import Device

#: `run(texts, tokens)` runs that many texts of that many tokens each in one session; returns seconds.
Run = Callable[[int, int], float]

FILE: Final = "tuning.json"
#: Increase it when the results of `tune` change, so that kept ones are measured again.
_METHOD: Final = 3
_LENGTH: Final = 32
#: Texts in the call that measures the overhead. A single text would overstate it: below about 50 tokens a call's time
#: is that of reading the weights, and batches under load are larger than that.
_FEW: Final = 2
_ROUNDS: Final = 3
_FEW_ROUNDS: Final = 9
#: Minimum overhead of a call, in tokens: Python's own share.
_LEAST_OVERHEAD: Final = 2
#: A smaller batch wastes less on padding, so a larger one must be at least 2 % faster.
_WORTH: Final = 0.98


class Scale(Struct, frozen=True):
    """Range of the measurement on a device: the budgets to try, and an upper bound of the overhead, in tokens."""

    budgets: tuple[int, ...]
    max_overhead: int


SCALES: Final[dict[Device, Scale]] = {
    "cpu": Scale((128, 256, 512, 1024, 2048), 64),
    "cuda": Scale((4096, 8192, 16_384, 32_768, 65_536), 4096),
}


class Tuning(Struct, frozen=True):
    """The batching parameters.

    Attributes:
        budget_tokens: maximum tokens of a batch, including padding.
        overhead_tokens: fixed cost of a call, in tokens.
        machine: key of the measurement: the kind of CPU, the device and `_METHOD`.
    """

    budget_tokens: int
    overhead_tokens: int
    machine: str = ""


#: Best of a sweep on two cores with 1.25 MiB of level-2 cache each.
DEFAULT: Final = Tuning(512, 8)


def find_tuning(folder: Path, device: Device, cpu: Cpu, measure: Callable[[], Tuning]) -> Tuning:
    """The tuning kept in the graph's `folder` for this CPU and device; measured and kept if there is none."""
    file, machine = folder / FILE, f"{cpu.kind}/{device}/{_METHOD}"
    with contextlib.suppress(OSError, msgspec.DecodeError):
        kept = msgspec.json.decode(file.read_bytes(), type=Tuning)
        if kept.machine == machine and kept.budget_tokens > 0 and kept.overhead_tokens >= 0:
            return kept
    found = msgspec.structs.replace(measure(), machine=machine)
    with contextlib.suppress(OSError):  # in a read-only cache nothing is kept, so every start measures
        draft = file.with_name(f"{FILE}.draft")
        draft.write_bytes(msgspec.json.encode(found))
        draft.replace(file)
    return found


def tune(run: Run, scale: Scale, *, longest: int = _LENGTH) -> Tuning:
    """Measure the tuning with some twenty calls, in a second or two. Medians of interleaved rounds reduce noise.

    Args:
        run: runs texts in one session.
        scale: the range to try.
        longest: maximum tokens of a text.
    """
    length = min(_LENGTH, longest)
    for budget in scale.budgets:  # warm-up: the first run of a shape allocates memory
        run(budget // length, length)
    rounds = [{budget: run(budget // length, length) / budget for budget in scale.budgets} for _ in range(_ROUNDS)]
    per_token = {budget: statistics.median(found[budget] for found in rounds) for budget in scale.budgets}
    fastest = min(per_token.values())
    budget = next(b for b in scale.budgets if per_token[b] * _WORTH <= fastest)
    few = min(run(_FEW, length) for _ in range(_FEW_ROUNDS))  # noise only lengthens so short a call
    tokens = budget // length * length - _FEW * length
    token = (min(found[budget] for found in rounds) * budget - few) / tokens  # linear fit through both
    overhead = round(few / token) - _FEW * length if token > 0 else scale.max_overhead
    return Tuning(budget, min(max(overhead, _LEAST_OVERHEAD), scale.max_overhead))
