"""Measures how well questions find their tickets. A contender is a set and a group of its questions."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench.finding.index import fill, open_set_searcher
from bench.finding.sets import load
from bench.job import Clock, Job, Measured, answer
from core.environment import load_settings
from maintenance.evaluation.evaluate import NOTHING, ask_of, score_questions, summarise
from models.open import load_embedder

#: Questions that are asked of one group; banking77's 3,080 take minutes otherwise.
_MOST: Final = 3_080


def _measure(name: str, group: str) -> Callable[[Job], Measured]:
    def run(_job: Job) -> Measured:
        found = load(name)
        settings = load_settings()
        embedder = load_embedder(settings.model)
        # beside the runs' own indexes, so that the contenders of a set share it
        folder = Path(settings.index.path).parent / f"finding-{name}"
        fill(found, settings, embedder, folder)
        clock, questions = Clock(), found.questions[group][:_MOST]
        with ExitStack() as stack:
            ask = ask_of(open_set_searcher(settings, embedder, folder, stack))
            with clock.measure():
                scores = score_questions(questions, ask)
        figures = {"questions": float(len(questions))}
        for measure, figure in summarise(scores)[0].figures.items():
            if (group == "nothing") == (measure == NOTHING):
                figures |= {measure: figure.value, f"{measure} low": figure.low, f"{measure} high": figure.high}
        done = clock.measured(tickets=len(found.records), texts=len(questions))
        return Measured(
            done.tickets, done.texts, 0, done.seconds, done.cpu_seconds, done.rss_mib,
            {name: round(value, 4) for name, value in figures.items()},
        )  # fmt: skip

    return run


CONTENDERS: Final = {
    "hadoop, subject": _measure("hadoop", "subject"),
    "hadoop, whole ticket": _measure("hadoop", "whole ticket"),
    "hadoop, identifiers": _measure("hadoop", "identifiers"),
    "hadoop, nothing found": _measure("hadoop", "nothing"),
    "banking77, intent": _measure("banking77", "intent"),
    "banking77, nothing found": _measure("banking77", "nothing"),
    "synthetic, meaning": _measure("synthetic", "meaning"),
    "synthetic, identifiers": _measure("synthetic", "identifier"),
    "synthetic, nothing found": _measure("synthetic", "nothing"),
}

if __name__ == "__main__":
    answer(CONTENDERS)
