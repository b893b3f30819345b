"""The evaluation sets, and floors for the search on small ones."""

from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from bench.finding.identifiers import identifier_questions
from bench.finding.index import fill, open_set_searcher
from bench.finding.sets import FindingSet, load
from bench.job import Skipped
from core.errors import UnavailableError
from core.protocols import Embedder
from core.settings import Settings
from maintenance.evaluation.evaluate import ask_of, score_questions, summarise
from models.open import load_embedder

#: Numbers of tickets in the small sets; fewer of hadoop, whose texts are long.
_FEW: Final = {"synthetic": 500, "hadoop": 250, "banking77": 1_000}


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    """The default model. Without its weights these tests are skipped."""
    try:
        return load_embedder(Settings().model)
    except UnavailableError as error:
        pytest.skip(f"no weights: {error}")


def _set(name: str) -> FindingSet:
    try:
        return load(name, tickets=_FEW[name])
    except Skipped as reason:
        pytest.skip(str(reason))


def test_an_identifier_occurs_in_one_ticket_only() -> None:
    """Identifiers contain digits, inner marks or CamelCase, and occur in no other ticket, ignoring case."""
    texts = {
        "1": "The NameNode logs ERR_CONN-42, see 2.53.18.2 and plain words",
        "2": "the namenode is fine, A-42988 is not",
        "3": "plain words and more of them: 12345",
    }
    asked = identifier_questions(texts)
    assert set(asked.values()) <= {"1", "2"}
    assert not any("NameNode" in text for text in asked)
    assert any("A-42988" in text for text in asked)
    assert asked == identifier_questions(texts)
    assert len(identifier_questions(texts, count=1)) == 1


def test_hadoop_asks_for_duplicates() -> None:
    """The relevant tickets of an issue are its duplicates, and the issue itself is ignored."""
    found = _set("hadoop")
    ids = {record.key.decode().split("/")[1] for record in found.records if record.key}
    for question in found.questions["subject"]:
        (own,) = question.without
        assert own not in question.grades
        assert question.grades.keys() <= ids
    assert len(found.questions["subject"]) == 129
    assert len(found.questions["identifiers"]) > 100


#: Floors by set and kind of question: about 0.04 below the measured figures.
FLOORS: Final = {
    "synthetic": {"meaning": {"mrr@10": 0.57}, "identifier": {"hit@1": 0.95}, "nothing": {"nothing": 0.73}},
    "hadoop": {"subject": {"mrr@10": 0.80}, "whole ticket": {"mrr@10": 0.76}, "identifiers": {"hit@1": 0.9}},
    "banking77": {"intent": {"hit@1": 0.77}},
}


@pytest.mark.parametrize("name", FLOORS)
def test_the_floors_hold(name: str, embedder: Embedder, tmp_path: Path) -> None:
    """The search's figures are at least the floors."""
    found, settings = _set(name), Settings()
    fill(found, settings, embedder, tmp_path / name)
    below = []
    with ExitStack() as stack:
        ask = ask_of(open_set_searcher(settings, embedder, tmp_path / name, stack))
        for group, floors in FLOORS[name].items():
            figures = summarise(score_questions(found.questions[group][:300], ask))[0].figures
            print(name, group, {measure: round(figure.value, 3) for measure, figure in figures.items()})
            below += [f"{group} {m} {figures[m].value:.3f}" for m, least in floors.items() if figures[m].value < least]
    assert below == []
