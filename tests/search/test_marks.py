"""The few identifiers by which a long question is recognised."""

import numpy as np

from operators.terms import identifiers, question_terms, term_id
from search.marks import marks_of, stressed


def test_the_marks_are_few_whole_codes() -> None:
    """Codes without their parts are marks; years, short codes and words with hyphens are none."""
    text = "round-trip in 2019 with b12: order A-42988 on host01.example"
    assert marks_of(identifiers(text)) == ("a-42988", "host01.example")


def test_a_text_of_many_identifiers_has_no_marks() -> None:
    """A log or a trace has too many identifiers for one of them to stand for it."""
    assert marks_of(identifiers("ERR-1001 ERR-1002 ERR-1003")) == ("err-1001", "err-1002", "err-1003")
    assert marks_of(identifiers("ERR-1001 ERR-1002 ERR-1003 ERR-1004")) == ()


def test_a_mark_weighs_more_than_a_word() -> None:
    """The term of a mark weighs three times as much, and the others as before."""
    terms = question_terms("where is order A-42988")
    weights = dict(zip(terms.indices.tolist(), stressed(terms, ("a-42988",)).values.tolist(), strict=True))
    assert weights.pop(term_id("a-42988")) == 3
    assert set(weights.values()) == {1}
    assert stressed(terms, ()).values.dtype == np.float32
