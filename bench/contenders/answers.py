"""Measures answers to questions of known problems, and attacks on them. A contender is a writer."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import fmean
from typing import Final

import msgspec

from bench.answers.ask import Asking
from bench.answers.attacks import attacks
from bench.answers.corpus import Corpus, Gold, make_corpus
from bench.answers.evaluate import attack_all, attack_records, evaluate, has_facts, honest_sentences
from bench.answers.models import inventing
from bench.finding.index import fill, open_set
from bench.finding.sets import FindingSet
from bench.job import Clock, Job, Measured, answer
from core.environment import load_settings
from core.index import SearchQuery
from core.language_model import LanguageModel
from core.records import Record
from models.open import load_embedder
from runtime.searcher import IndexSearcher

_NOISE: Final = 3_000
_BASELINE_TICKETS: Final = 3

_Model = Callable[[Gold], tuple[LanguageModel, frozenset[str]]]


def _measure(figures: Callable[[Corpus, Asking], dict[str, float]], *, attacked: bool) -> Callable[[Job], Measured]:
    def run(_job: Job) -> Measured:
        corpus, settings = make_corpus(noise=_NOISE), load_settings()
        embedder = load_embedder(settings.model)
        records: Sequence[Record] = corpus.records
        if attacked:
            records = [*records, *attack_records(list(attacks(corpus.answered)))]
        # outside the run's folder, so that contenders share it
        folder = Path(settings.index.path).parent / f"answers-{attacked}"
        fill(FindingSet(list(records), {}), settings, embedder, folder)
        clock = Clock()
        with ExitStack() as stack:
            index = open_set(settings, embedder, folder, stack)
            with clock.measure():
                found = figures(corpus, Asking(IndexSearcher(index=index, embedder=embedder), index))
        done = clock.measured(tickets=len(records), texts=int(found["questions"]))
        return Measured(
            done.tickets, done.texts, 0, done.seconds, done.cpu_seconds, done.rss_mib,
            {figure: round(value, 4) for figure, value in found.items()},
        )  # fmt: skip

    return run


def _questions(model: _Model | None) -> Callable[[Corpus, Asking], dict[str, float]]:
    def figures(corpus: Corpus, asking: Asking) -> dict[str, float]:
        found = msgspec.structs.asdict(evaluate(corpus, asking, model=model))
        return {name: float(value) for name, value in found.items()}

    return figures


def _attacks(*, obedient: bool) -> Callable[[Corpus, Asking], dict[str, float]]:
    def figures(corpus: Corpus, asking: Asking) -> dict[str, float]:
        made = attack_all(list(attacks(corpus.answered)), asking, honest_sentences(corpus.records), obedient=obedient)
        return {"questions": float(len(made)), "succeeded": float(sum(one.success is not None for one in made))}

    return figures


def _passages(corpus: Corpus, asking: Asking) -> dict[str, float]:
    """The passages that a search shows, instead of resolutions."""
    hits, times = [], []
    for gold in corpus.answered:
        began = time.perf_counter()
        query = SearchQuery(tenant_id=gold.tenant_id, limit=_BASELINE_TICKETS, public_only=True)
        found = asking.searcher.search(gold.question, query)
        times.append((time.perf_counter() - began) * 1_000)
        hits.append(has_facts(gold.facts, " ".join(hit.passage for hit in found.hits)))
    return {"questions": float(len(hits)), "hit": fmean(hits), "p50": sorted(times)[len(times) // 2]}


CONTENDERS: Final = {
    name: _measure(figures, attacked=attacked)
    for name, figures, attacked in (
        ("extraction", _questions(None), False),
        ("a model that invents", _questions(inventing), False),
        ("attacks on extraction", _attacks(obedient=False), True),
        ("attacks on a model that obeys", _attacks(obedient=True), True),
        ("passages of the best three tickets", _passages, False),
    )
}

if __name__ == "__main__":
    answer(CONTENDERS)
