"""Defines a benchmark suite: its question, its contenders, and the figures that are shown."""

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
    """A column that only this suite has. Its `plotted` figures share a unit and are drawn.

    Attributes:
        interval: the figures `NAME low` and `NAME high` are the ends of its confidence interval.
    """

    name: str
    heading: str
    digits: int = 0
    plotted: bool = False
    interval: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the figure and of the ends of its interval."""
        return (self.name, f"{self.name} low", f"{self.name} high") if self.interval else (self.name,)


class Suite(Struct, frozen=True):
    """A question, and the contenders that answer it.

    Attributes:
        module: runs a contender; gets a `Job` on standard input.
        reference: the contender that the others are compared with.
        unit: what is counted per second: tickets or texts.
        broker: `none`; `backlog`, with the tickets in it; or `empty`, for contenders that write the tickets themselves.
        foreign: other libraries' contenders, in an environment of their own; they run after ours.
        script: runs a foreign contender.
        foreign_tickets: a lower number of tickets for slow foreign contenders; None means as many as the others.
        figures: the columns; without any, speed, tokens, CPU, memory and the ratio to the reference are shown.
        in_tokens: the ratio is shown in tokens too, as contenders embed different texts.
        axis: name and unit of the plotted figures.
        note: text beneath the table.
        python: interpreter of our contenders; None means the runner's.
        heavy: whether the suite runs only when it is named.
        corpus: name of the corpus, if it is neither the synthetic tickets nor `--corpus`.
        repeats: whether rounds differ; a deterministic suite runs once.
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
    repeats: bool = True
    corpus: str = ""

    @property
    def everyone(self) -> tuple[str, ...]:
        """All contenders, ours first."""
        return self.contenders + self.foreign


class Row(Struct, frozen=True):
    """One run of one contender, or the reason why it was skipped."""

    suite: str
    contender: str
    round: int
    corpus: str
    machine: Machine
    measured: Measured | None = None
    skipped: str = ""
