"""Runs a worker with indexed tickets, and the RAG service beside it."""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from typing import Final

from bench.contenders.loads import open_producer, own_topic, send
from bench.corpus import synthetic_events
from bench.serving.load import Wanted, answers, one_by_one
from bench.serving.service import LocalService, open_service
from bench.task import Report, Task
from core.settings import Settings
from synthetic.gold import gold_questions
from synthetic.tickets import SyntheticRecord

_WARM: Final = 20


class Stage:
    """The running worker and RAG service."""

    def __init__(
        self, settings: Settings, events: Sequence[SyntheticRecord], indexed: int, task: Task, service: LocalService
    ) -> None:
        """The first `indexed` events are in the index."""
        self.service = service
        self.task = task
        self.events = events
        self._settings = settings
        self._indexed = indexed
        self._questions = [one for one in gold_questions(events[:indexed]) if one.kind != "nothing"]

    def wanted(self, count: int, *, begin: int = 0) -> list[Wanted]:
        """Requests whose answers are in the tickets. Numbers from `begin` on make them differ."""
        return list(answers(list(islice(cycle(self._questions), count)), begin=begin))

    def write_more(self, *, began: float, rate: float) -> None:
        """Send the other events, `rate` a second since `began`, in seconds since 1970."""
        producer, rest = open_producer(self._settings), self.events[self._indexed :]
        send(producer, self._settings, rest, due=lambda number: began + number / rate)

    def close(self) -> Report:
        """Drain the worker."""
        return self.task.stop()


def open_stage(stack: ExitStack, variables: Mapping[str, str], *, tickets: int, more: int = 0) -> Stage:
    """Index the tickets with a worker, then start and warm up the service. Both get these variables.

    Args:
        stack: ends both.
        variables: environment variables in addition to those of this process.
        tickets: number of events to index.
        more: number of further events to generate.
    """
    settings = own_topic()
    events = synthetic_events(tickets + more)
    task = open_worker(stack, variables)
    task.wait_joined()
    send(open_producer(settings), settings, events[:tickets], due=lambda _number: 0.0)
    task.wait_acked(tickets)
    index = {"TICKETS_INDEX__PATH": str(settings.index.path)}
    service = open_service("services.rag", {**index, **variables}, stack)
    stage = Stage(settings, events, tickets, task, service)
    one_by_one(service, stage.wanted(_WARM, begin=10**7))
    return stage


def open_worker(stack: ExitStack, variables: Mapping[str, str]) -> Task:
    """Start a worker on all cores, which `stack` ends."""
    return stack.enter_context(Task(sorted(os.sched_getaffinity(0)), dict(variables)))
