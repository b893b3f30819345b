"""Measures how well questions find their tickets. A contender is a set and a group of its questions."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench.finding.index import ask_by_meaning, fill, open_set
from bench.finding.sets import load
from bench.job import Clock, Job, Measured, answer
from core.environment import load_settings
from maintenance.evaluation.evaluate import NOTHING, ask_of, score_questions, summarise
from models.open import load_embedder
from runtime.searcher import IndexSearcher


def _measure(name: str, group: str, *, by_meaning: bool = False) -> Callable[[Job], Measured]:
    def run(_job: Job) -> Measured:
        found = load(name)
        settings = load_settings()
        embedder = load_embedder(settings.model)
        # outside the run's folder, so that the contenders of a set share it
        folder = Path(settings.index.path).parent / f"finding-{name}"
        fill(found, settings, embedder, folder)
        clock, questions = Clock(), found.questions[group]
        with ExitStack() as stack:
            index = open_set(settings, embedder, folder, stack)
            searcher = IndexSearcher(index=index, embedder=embedder, settings=settings.search)
            ask = ask_by_meaning(index, embedder) if by_meaning else ask_of(searcher)
            with clock.measure():
                scores = score_questions(questions, ask)
        figures = {"questions": float(len(questions))}
        for measure, figure in summarise(scores)[0].figures.items():
            if (group == "nothing") == (measure == NOTHING):
                figures |= {measure: figure.value, f"{measure} low": figure.low, f"{measure} high": figure.high}
        done = clock.measured(tickets=len(found.records), texts=len(questions))
        return Measured(
            done.tickets,
            done.texts,
            0,
            done.seconds,
            done.cpu_seconds,
            done.rss_mib,
            {name: round(value, 4) for name, value in figures.items()},
        )

    return run


#: Name, set and group of the questions.
GROUPS: Final = (
    ("hadoop, subject", "hadoop", "subject"),
    ("hadoop, whole ticket", "hadoop", "whole ticket"),
    ("hadoop, like the ticket", "hadoop", "like the ticket"),
    ("hadoop, identifiers", "hadoop", "identifiers"),
    ("hadoop, nothing found", "hadoop", "nothing"),
    ("banking77, intent", "banking77", "intent"),
    ("banking77, nothing found", "banking77", "nothing"),
    ("synthetic, meaning", "synthetic", "meaning"),
    ("synthetic, identifiers", "synthetic", "identifier"),
    ("synthetic, nothing found", "synthetic", "nothing"),
)
BY_MEANING: Final = "{} (meaning alone)"
CONTENDERS: Final = {
    **{name: _measure(of, group) for name, of, group in GROUPS},
    **{BY_MEANING.format(name): _measure(of, group, by_meaning=True) for name, of, group in GROUPS},
}

if __name__ == "__main__":
    answer(CONTENDERS)
