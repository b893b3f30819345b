"""What suits this machine: how large a batch should be, what a call costs; measured once, kept beside the graph."""

import contextlib
import platform
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

#: Runs so many texts of so many tokens each in one session; returns seconds.
Run = Callable[[int, int], float]

FILE: Final = "tuning.json"
_BUDGETS: Final = (128, 256, 512, 1024, 2048)
_LENGTH: Final = 32
_SHORT: Final = 8
_ROUNDS: Final = 3
#: A smaller batch wastes less on padding, so it is taken unless a larger one is faster by more than this.
_WORTH: Final = 0.98
_MAX_OVERHEAD: Final = 64
_CPU_INFO: Final = Path("/proc/cpuinfo")


class Tuning(Struct, frozen=True):
    """The scheduler's constants.

    Attributes:
        budget_tokens: most padded tokens of a batch: beyond it the activations leave the cache.
        overhead_tokens: what a call costs beside its tokens, in tokens.
        machine: where it was measured.
    """

    budget_tokens: int
    overhead_tokens: int
    machine: str = ""


#: Best of a sweep on two cores with 1.25 MiB of level-2 cache each.
DEFAULT: Final = Tuning(512, 8)


def find_tuning(folder: Path, measure: Callable[[], Tuning]) -> Tuning:
    """What was measured on this machine for the graph in `folder`; measured, and kept, when nothing was."""
    file, machine = folder / FILE, this_machine()
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


def tune(run: Run) -> Tuning:
    """Measure: some twenty calls, a second or two. Medians of interleaved rounds, as machines are noisy."""
    run(_BUDGETS[0] // _LENGTH, _LENGTH)
    rounds = [{budget: run(budget // _LENGTH, _LENGTH) / budget for budget in _BUDGETS} for _ in range(_ROUNDS)]
    per_token = {budget: statistics.median(found[budget] for found in rounds) for budget in _BUDGETS}
    fastest = min(per_token.values())
    budget = next(b for b in _BUDGETS if per_token[b] * _WORTH <= fastest)
    single = statistics.median(run(1, _SHORT) for _ in range(_ROUNDS))
    overhead = round(single / per_token[budget]) - _SHORT
    return Tuning(budget, min(max(overhead, 0), _MAX_OVERHEAD))


def this_machine() -> str:
    """Kind of CPU, as Linux names it, or its architecture."""
    with contextlib.suppress(OSError):
        for line in _CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
