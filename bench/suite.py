"""What a suite is: a question, who answers it, and what is shown of the answers."""

from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from bench.job import Measured
from bench.machine import Machine

#: Libraries whose pins contradict ours: `make bench-contenders`.
FOREIGN_PYTHON: Final = Path(".contenders/bin/python")
#: ONNX Runtime for a GPU: `make bench-gpu`.
GPU_PYTHON: Final = Path(".gpu/bin/python")


class Figure(Struct, frozen=True):
    """A column of a suite's own; `plotted` ones, all of one unit, are its picture."""

    name: str
    heading: str
    digits: int = 0
    plotted: bool = False


class Suite(Struct, frozen=True):
    """A question, and who answers it.

    Attributes:
        module: the process, run with a `Job`.
        reference: the contender that the others are compared with.
        unit: what is counted per second: tickets or texts.
        broker: none; one that holds the tickets; or an empty one, for contenders that write them.
        foreign: contenders in an environment of their own; they follow the others.
        script: their process.
        foreign_tickets: the most that one of them is given; None: as many as the others. Speed is per second, and some
            take minutes for what others do in one.
        figures: what is shown; none: speed, tokens, CPU, memory and the ratio to the reference.
        in_tokens: the ratio is shown in tokens too, as contenders embed different texts.
        axis: what the plotted figures are, and in which unit.
        note: said beneath the table.
        python: the interpreter; None: the runner's.
        heavy: run only when it is named.
    """

    name: str
    question: str
    module: str
    contenders: tuple[str, ...]
    reference: str
    unit: str = "tickets"
    broker: Literal["none", "backlog", "empty"] = "none"
    foreign: tuple[str, ...] = ()
    script: Path | None = None
    foreign_tickets: int | None = None
    figures: tuple[Figure, ...] = ()
    in_tokens: bool = False
    axis: str = ""
    note: str = ""
    python: Path | None = None
    heavy: bool = False

    @property
    def everyone(self) -> tuple[str, ...]:
        """All contenders."""
        return self.contenders + self.foreign


class Row(Struct, frozen=True):
    """One run of one contender, or why there was none."""

    suite: str
    contender: str
    round: int
    corpus: str
    machine: Machine
    measured: Measured | None = None
    skipped: str = ""
