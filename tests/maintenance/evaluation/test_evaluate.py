"""Questions are asked, scored and summarised by group."""

from core.errors import NoTicketError
from core.index import SearchQuery
from maintenance.evaluation.evaluate import (
    ALL,
    NOTHING,
    Found,
    Score,
    ask_of,
    compare,
    score_questions,
    summarise,
)
from maintenance.evaluation.questions import Question
from search.result import Answer
from tests.maintenance.evaluation.fakes import FakeSearcher

_QUESTIONS = [
    Question(tenant="acme", question="one", relevant=("T-1",), language="en", kind="meaning"),
    Question(tenant="acme", question="zwei", relevant={"T-2": 2}, language="de", kind="meaning"),
    Question(tenant="acme", question="A-1", relevant=("T-3",), language="en", kind="identifier"),
    Question(tenant="acme", question="sourdough", nothing=True, kind="nothing"),
]
_ANSWERS = {"one": ["T-1"], "zwei": ["T-9", "T-2"], "A-1": ["T-9"], "sourdough": []}


def _scores(answers: dict[str, list[str]]) -> list[Score]:
    return score_questions(_QUESTIONS, ask_of(FakeSearcher(answers)))


def test_each_measure_is_the_mean_over_the_questions_that_have_answers() -> None:
    """Questions without a relevant ticket count in the measure "nothing found" only."""
    figures = summarise(_scores(_ANSWERS))[0].figures
    assert figures["mrr@10"].value == 0.5
    assert figures["hit@1"].count == 3
    assert figures[NOTHING].value == 1


def test_saying_nothing_where_there_is_something_is_an_error() -> None:
    """The accuracy of "nothing found" is balanced: 3 of 3 and 0 of 1 give a half."""
    everything = {**_ANSWERS, "sourdough": ["T-5"]}
    assert summarise(_scores(everything))[0].figures[NOTHING].value == 0.5
    assert summarise(_scores({}))[0].figures[NOTHING].value == 0.5


def test_groups_are_kinds_and_languages() -> None:
    """The first group is all questions; a kind or language that all share isn't repeated."""
    groups = {group.name: group for group in summarise(_scores(_ANSWERS))}
    assert list(groups) == [ALL, "identifier", "meaning", "nothing", "de", "en"]
    assert groups["de"].figures["mrr@10"].value == 0.5
    assert set(groups["nothing"].figures) == {NOTHING}
    assert [g.name for g in summarise(_scores(_ANSWERS)[:1])] == [ALL]


def test_a_ticket_is_left_out_of_its_own_results() -> None:
    """The ticket that a question was taken from is ignored in its results, so one more is requested."""
    searcher = FakeSearcher({"one": ["T-7", "T-1"]})
    question = Question(tenant="acme", question="one", relevant=("T-1",), without=("T-7",))
    assert ask_of(searcher)(question) == Found(("T-1",), nothing=False)
    assert searcher.limits == [11]


def test_a_ticket_may_be_the_question() -> None:
    """A question may be a ticket id: similar tickets are searched, and the ticket itself is ignored."""
    searcher = FakeSearcher({"T-7": ["T-7", "T-1"]})
    question = Question(tenant="acme", ticket="T-7", relevant=("T-1",))
    assert ask_of(searcher)(question) == Found(("T-1",), nothing=False)


def test_a_ticket_that_is_gone_finds_nothing() -> None:
    """A question about a ticket that isn't in the index is a miss, not an error."""

    class Empty(FakeSearcher):
        def similar(self, ticket_id: str, query: SearchQuery, *, plain: bool = False) -> Answer:
            del plain
            raise NoTicketError(f"tenant {query.tenant_id} has no ticket {ticket_id}")

    question = Question(tenant="acme", ticket="T-7", relevant=("T-1",))
    assert ask_of(Empty({}))(question) == Found((), nothing=True)


def test_gains_are_paired() -> None:
    """The gain of each measure is the mean difference of the same questions."""
    better = {**_ANSWERS, "zwei": ["T-2"], "A-1": ["T-3"]}
    gains = compare(_scores(_ANSWERS), _scores(better))
    assert gains["hit@1"].value == 2 / 3
    assert gains[NOTHING].value == 0
    assert compare(_scores(better), _scores(_ANSWERS))["hit@1"].value == -2 / 3
