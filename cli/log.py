"""What the commands that fold the log share: reading it with a progress bar, and what later steps have refused."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.console import err
from connectors.kafka.admin import Cluster
from connectors.kafka.dead_letters import HEADER_PREFIX
from connectors.kafka.reader import read_topic
from core.records import Record
from core.settings import Settings
from operators.decode import decode
from worker.fold import Fold, Place

T = TypeVar("T")


class Log:
    """`tickets.raw`, read outside any group."""

    def __init__(self, settings: Settings) -> None:
        """Ask for its partitions.

        Raises:
            UnavailableError: no broker answers, or a topic is missing.
        """
        self._settings = settings
        self._cluster = Cluster(settings.kafka)
        self._partitions = self._cluster.require_topics([settings.topics.raw, settings.topics.dlq])
        self._letters_read: dict[int, int] = {}

    def records(self, start: Mapping[int, int] | None = None) -> Iterator[Record]:
        """From `start`, by partition, to the end as it is when it is reached."""
        topic = self._settings.topics.raw
        return read_topic(self._settings.kafka, topic, partitions=self._partitions[topic], start=start)

    def fold(self) -> Fold:
        """An empty fold."""
        return Fold(decode=partial(decode, settings=self._settings.contract))

    def committed(self) -> dict[int, int]:
        """Offsets that the worker's group has committed; partitions without are left out."""
        lags = self._cluster.lag(self._settings.topics.raw, self._settings.kafka.group)
        return {lag.partition: lag.committed for lag in lags if lag.committed is not None}

    def refused(self) -> Iterator[Place]:
        """Where the records lie that steps after decode have dead-lettered; again: those that have come since."""
        raw, dlq = self._settings.topics.raw, self._settings.topics.dlq
        letters = read_topic(
            self._settings.kafka, dlq, partitions=self._partitions[dlq], start=dict(self._letters_read)
        )
        for letter in letters:
            self._letters_read[letter.origin.partition] = letter.origin.offset + 1
            about = {name.removeprefix(HEADER_PREFIX): value for name, value in letter.headers}
            later = about.get("stage", b"decode") != b"decode" and about.get("topic") == raw.encode()
            partition, offset = about.get("partition", b""), about.get("offset", b"")
            if later and partition.isdigit() and offset.isdigit():
                yield int(partition), int(offset)

    def length(self) -> int:
        """Records it holds, about: compacted or expired ones may count too."""
        return sum(
            lag.end - lag.start for lag in self._cluster.lag(self._settings.topics.raw, self._settings.kafka.group)
        )


@contextmanager
def progress() -> Iterator[Progress]:
    """Bars on standard error, where somebody watches."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
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
