"""What suits this machine: how large a batch should be, what a call costs; measured once, kept beside the graph."""

import contextlib
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from core.cpu import Cpu
from models.device import Device

#: Runs so many texts of so many tokens each in one session; returns seconds.
Run = Callable[[int, int], float]

FILE: Final = "tuning.json"
#: Grows when `tune` finds something else than before.
_METHOD: Final = 3
_LENGTH: Final = 32
#: Texts of the call that tells what a call costs. One alone tells too much: below some 50 tokens a call takes the time
#: that reading the weights takes, and no batch of a backlog is so small.
_FEW: Final = 2
_ROUNDS: Final = 3
_FEW_ROUNDS: Final = 9
#: Of a call, in tokens: what Python does for one.
_LEAST_OVERHEAD: Final = 2
#: A smaller batch wastes less on padding, so it is taken unless a larger one is faster by more than this.
_WORTH: Final = 0.98


class Scale(Struct, frozen=True):
    """What is tried on a kind of device: budgets in tokens, and the most that a call may seem to cost."""

    budgets: tuple[int, ...]
    max_overhead: int


SCALES: Final[dict[Device, Scale]] = {
    "cpu": Scale((128, 256, 512, 1024, 2048), 64),
    "cuda": Scale((4096, 8192, 16_384, 32_768, 65_536), 4096),
}


class Tuning(Struct, frozen=True):
    """The scheduler's constants.

    Attributes:
        budget_tokens: most padded tokens of a batch: beyond it the activations leave the cache.
        overhead_tokens: what a call costs beside its tokens, in tokens.
        machine: where and how it was measured: the kind of CPU, the device, `_METHOD`.
    """

    budget_tokens: int
    overhead_tokens: int
    machine: str = ""


#: Best of a sweep on two cores with 1.25 MiB of level-2 cache each.
DEFAULT: Final = Tuning(512, 8)


def find_tuning(folder: Path, device: Device, cpu: Cpu, measure: Callable[[], Tuning]) -> Tuning:
    """What was measured on this machine for the graph in `folder`; measured, and kept, when nothing was."""
    file, machine = folder / FILE, f"{cpu.kind}/{device}/{_METHOD}"
    with contextlib.suppress(OSError, msgspec.DecodeError):
        kept = msgspec.json.decode(file.read_bytes(), type=Tuning)
        if kept.machine == machine and kept.budget_tokens > 0 and kept.overhead_tokens >= 0:
            return kept
    found = msgspec.structs.replace(measure(), machine=machine)
    with contextlib.suppress(OSError):  # a cache that can't be written is measured anew at every start
        draft = file.with_name(f"{FILE}.draft")
        draft.write_bytes(msgspec.json.encode(found))
        draft.replace(file)
    return found


def tune(run: Run, scale: Scale, *, longest: int = _LENGTH) -> Tuning:
    """Measure: some twenty calls, a second or two. Medians of interleaved rounds, as machines are noisy.

    Args:
        run: of texts as long as asked for.
        scale: what is tried.
        longest: most tokens the model reads.
    """
    length = min(_LENGTH, longest)
    for budget in scale.budgets:  # memory is had and kernels are chosen at the first run of a shape
        run(budget // length, length)
    rounds = [{budget: run(budget // length, length) / budget for budget in scale.budgets} for _ in range(_ROUNDS)]
    per_token = {budget: statistics.median(found[budget] for found in rounds) for budget in scale.budgets}
    fastest = min(per_token.values())
    budget = next(b for b in scale.budgets if per_token[b] * _WORTH <= fastest)
    few = min(run(_FEW, length) for _ in range(_FEW_ROUNDS))  # what disturbs so short a call only lengthens it
    tokens = budget // length * length - _FEW * length
    token = (min(found[budget] for found in rounds) * budget - few) / tokens  # a straight line through both
    overhead = round(few / token) - _FEW * length if token > 0 else scale.max_overhead
    return Tuning(budget, min(max(overhead, _LEAST_OVERHEAD), scale.max_overhead))
