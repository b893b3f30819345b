"""The confidence that a relevant ticket was found."""

from hypothesis import given
from hypothesis import strategies as st

from search.calibration import calibration_of
from search.confidence import THRESHOLD, confidence
from search.fuse import Match
from search.words import forms_of
from tests.search.cases import candidate


def _match(ticket_id: str, similarity: float, passage: str = "text", exact: tuple[str, ...] = ()) -> Match:
    return Match(candidate(ticket_id, passage, similarity=similarity), similarity, 0.0, exact)


def _sure(
    *similarities: float,
    passage: str = "text",
    exact: tuple[str, ...] = (),
    text: str = "a question",
    model: str = "all-MiniLM-L6-v2/int8/1",
) -> float:
    first, *others = (_match(str(n), one) for n, one in enumerate(similarities))
    best = [Match(candidate("0", passage, similarity=similarities[0]), first.score, 0.0, exact), *others]
    return confidence(forms_of(text, ()), best, calibration_of(model))


def test_without_tickets_nothing_is_found() -> None:
    """Without any match the confidence is 0."""
    assert confidence([], [], calibration_of("")) == 0


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=40), st.booleans())
def test_a_confidence_is_a_probability(similarities: list[float], exact: bool) -> None:
    """The confidence lies between 0 and 1 for any similarities."""
    assert 0 <= _sure(*sorted(similarities, reverse=True), exact=("e-42",) if exact else ()) <= 1


@given(st.floats(0, 0.9), st.floats(0.01, 0.1))
def test_a_nearer_ticket_raises_it(similarity: float, more: float) -> None:
    """The confidence grows with the best ticket's similarity."""
    assert _sure(similarity + more, 0.0) > _sure(similarity, 0.0)


def test_the_background_is_the_tenth_ticket() -> None:
    """A lead over the tenth ticket by similarity raises the confidence, and tickets beyond it don't matter."""
    level = _sure(*[0.5] * 12)
    assert _sure(*[0.5] * 9, *[0.3] * 3) > level
    assert _sure(*[0.5] * 10, *[0.3] * 2) == level


def test_a_near_ticket_is_an_answer_and_a_far_one_is_none() -> None:
    """The threshold lies between the similarities of the calibration's answered and unanswered questions."""
    assert _sure(0.55, 0.35) > THRESHOLD
    assert _sure(0.25, 0.2) < THRESHOLD


def test_each_model_has_its_own_similarities() -> None:
    """Each model has its own calibration, and an unknown one has the default's.

    The similarities are medians of questions with and without an answer.
    """
    e5 = "multilingual-e5-small-q4/int8/1"
    assert _sure(0.9, 0.869, model=e5) > THRESHOLD > _sure(0.831, 0.812, model=e5)
    assert _sure(0.831, 0.812) > THRESHOLD
    assert _sure(0.4, 0.3, model="another/fp32/2") == _sure(0.4, 0.3)


def test_an_identifier_that_a_ticket_holds_is_an_answer() -> None:
    """A ticket that contains the question's identifier is an answer, however low its similarity."""
    assert _sure(0.2, 0.15) < THRESHOLD < _sure(0.2, 0.15, exact=("e-42",))


def test_a_small_number_that_a_ticket_holds_is_no_answer() -> None:
    """A year, or a number of up to four digits, is in too many texts to be an answer by itself."""
    for number in ("404", "2019"):
        assert _sure(0.2, 0.15, exact=(number,), text=f"concerts in {number}") < THRESHOLD
    assert _sure(0.2, 0.15, exact=("42988",)) > THRESHOLD
    assert _sure(0.25, 0.2, exact=("404",), passage="It is error 404.", text="error 404") > THRESHOLD


def test_all_words_of_the_question_in_one_passage_are_an_answer() -> None:
    """A passage that contains every word of the question is an answer, however low its similarity."""
    assert _sure(0.25, 0.2, passage="The penguins escaped.", text="the penguin escaped") > THRESHOLD
    assert _sure(0.25, 0.2, passage="The penguins sleep.", text="the penguin escaped") < THRESHOLD
