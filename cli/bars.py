"""Progress bars on standard error, for long commands."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.console import err

T = TypeVar("T")


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Bars that vanish at the end, and are shown only if standard error is a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        yield bars


def with_progress(bars: Progress, label: str, items: Iterable[T], *, total: int | None = None) -> Iterator[T]:
    """Yield `items`, and advance a bar by each. `total` is an estimate."""
    task = bars.add_task(label, total=total)
    for item in items:
        yield item
        bars.advance(task)
    bars.update(task, total=bars.tasks[task].completed)
