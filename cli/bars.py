"""Progress bars on standard error, for long commands."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.console import err

T = TypeVar("T")


@contextmanager
def progress() -> Iterator[Progress]:
    """Bars on standard error, where somebody watches."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        yield bars


def shown(bars: Progress, what: str, items: Iterable[T], *, total: int | None = None) -> Iterator[T]:
    """`items`, with a bar that grows by them."""
    task = bars.add_task(what, total=total)
    for item in items:
        yield item
        bars.advance(task)
    bars.update(task, total=bars.tasks[task].completed)  # `total` was a guess
