"""Fusion of meaning and words, and the best passage of each ticket."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.index import Candidate, SearchQuery
from search.fuse import IDENTIFIER, PLAIN, Wanted, best_of_each_ticket, folded, fuse, gate
from search.question import ReadQuestion
from search.words import forms_of
from tests.search.cases import candidate

QUERY = SearchQuery(tenant_id="acme")

candidates = st.lists(
    st.builds(
        candidate,
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from(["the disk is full", "error E-42 again", "text"]),
        similarity=st.floats(-1, 1),
        words=st.floats(0, 50),
        chunk=st.integers(0, 5),
    ),
    max_size=8,
)
wanted = st.sampled_from([Wanted((), (), PLAIN), Wanted(("e-42",), (), IDENTIFIER)])


def _gate(text: str, identifiers: Sequence[str], found: Sequence[Candidate]) -> Wanted:
    return gate(ReadQuestion(text=text, query=QUERY), identifiers, forms_of(text, ()), found, folded(found))


def test_words_weigh_little_in_a_plain_question() -> None:
    """In a question without a known identifier, words have the small weight."""
    found = [candidate("1", "the disk is full", words=2), candidate("2", "the disk is full", words=1.9)]
    assert _gate("disk full", (), found).words_weight == PLAIN
    assert _gate("disk full E-42", ("e-42",), found).words_weight == PLAIN


def test_words_that_point_to_one_ticket_weigh_much() -> None:
    """Rare words that occur in one ticket raise the weight of words, as identifiers do."""
    found = [candidate("1", "the quokka is loose", words=9), candidate("2", "it is loose", words=2)]
    assert _gate("loose quokka", (), found).words_weight == IDENTIFIER


def test_words_that_no_ticket_holds_together_weigh_nothing() -> None:
    """Words that no ticket contains together have no weight, as a paraphrase shares words with unrelated tickets."""
    found = [candidate("1", "the disk is full", words=2), candidate("2", "the disk is full", words=1.9)]
    assert _gate("no space left on any disk of our mail server", (), found).words_weight == 0
    assert _gate("no words match", (), [candidate("1", "text")]).words_weight == 0


def test_words_weigh_much_beside_a_known_identifier() -> None:
    """An identifier that one or more tickets contain raises the weight of words."""
    found = [candidate("1", "error E-42 again", words=1), candidate("2", "E-42", words=1)]
    opened = _gate("E-42", ("e-42", "e-43"), found)
    assert opened == Wanted(("e-42",), (), IDENTIFIER)


def test_a_small_number_is_an_identifier_in_a_short_question_only() -> None:
    """A question of a few words may ask for an error by its number; in a longer one it is a quantity or a year."""
    found = [candidate("1", "error 500, a hundred times", words=1), candidate("2", "500 pages", words=1)]
    assert _gate("error 500", ("500",), found).identifiers == ("500",)
    assert _gate("can't print more than 500 pages at once", ("500",), found).identifiers == ()
    assert _gate("can't print page 42988 of the document", ("42988",), [candidate("1", "42988", words=1)]).identifiers


@pytest.mark.parametrize("passage", ["error E-421", "error XE-42", "E-4 2"])
def test_a_part_of_a_longer_identifier_is_another(passage: str) -> None:
    """An identifier matches as a whole word only."""
    assert _gate("E-42", ("e-42",), [candidate("1", passage, words=1)]).identifiers == ()


@pytest.mark.parametrize(
    "passage",
    ["error E-42", "(e-42).", "E-42\nagain", "注文番号E-42を", "E‑42", "Ｅ－４２"],
)
def test_case_and_punctuation_do_not_matter(passage: str) -> None:
    """Case, line ends, punctuation, scripts without spaces, dashes and full-width forms around one are ignored."""
    assert _gate("E-42", ("e-42",), [candidate("1", passage, words=1)]).identifiers == ("e-42",)


@pytest.mark.parametrize(
    ("one", "passage"),
    [("0012345", "see INC0012345"), ("80070005", "fails with 0x80070005"), ("4500 123 456", "order 4500 123\n456")],
)
def test_the_number_of_a_name_and_a_number_in_groups_are_identifiers(one: str, passage: str) -> None:
    """A number behind letters, and one that is written in groups, are held as they are asked for."""
    assert _gate("where is it", (one,), [candidate("1", passage, words=1)]).identifiers == (one,)


def test_the_subject_counts() -> None:
    """An identifier in the subject is held by the ticket's passages, as the subject is embedded with each."""
    assert _gate("E-42", ("e-42",), [candidate("1", "text", subject="Error E-42", words=1)]).identifiers == ("e-42",)


def test_the_score_weighs_meaning_and_words() -> None:
    """The score is (1 - w) times the similarity plus w times the share of the highest BM25."""
    found = [candidate("1", similarity=0.4, words=6), candidate("2", similarity=0.8, words=3), candidate("3")]
    assert [round(one.score, 6) for one in fuse(Wanted((), (), 0.25), found)] == [0.55, 0.725, 0.375]


@given(wanted, candidates, st.data())
def test_the_score_is_monotone(wanted: Wanted, found: list[Candidate], data: st.DataObject) -> None:
    """A candidate that is nearer, or matches better by words, never gets a lower score; others' scores don't rise."""
    if not found:
        return
    at = data.draw(st.integers(0, len(found) - 1))
    nearer = msgspec.structs.replace(found[at], similarity=min(1.0, found[at].similarity + 0.1))
    more = msgspec.structs.replace(found[at], words=found[at].words + 1)
    before = fuse(wanted, found, folded(found))
    for changed in (nearer, more):
        others = [*found[:at], changed, *found[at + 1 :]]
        after = fuse(wanted, others, folded(others))
        assert after[at].score >= before[at].score - 1e-9
        assert all(a.score <= b.score + 1e-9 for n, (a, b) in enumerate(zip(after, before, strict=True)) if n != at)


@given(wanted, candidates)
def test_the_order_does_not_depend_on_the_order_of_the_candidates(wanted: Wanted, found: list[Candidate]) -> None:
    """Tickets come best first, each once, whatever the order of the candidates."""
    best = best_of_each_ticket(fuse(wanted, found, folded(found)))
    again = best_of_each_ticket(fuse(wanted, found[::-1], folded(found[::-1])))
    assert [(m.candidate.ticket_id, m.score) for m in best] == [(m.candidate.ticket_id, m.score) for m in again]
    assert {m.candidate.ticket_id for m in best} == {one.ticket_id for one in found}
    assert [m.score for m in best] == sorted((m.score for m in best), reverse=True)


def test_a_flood_of_passages_gets_one_place() -> None:
    """A ticket with many good passages is one hit, and the next ticket is the second."""
    flood = [candidate("flood", similarity=0.9, chunk=chunk) for chunk in range(50)]
    best = best_of_each_ticket(fuse(Wanted((), (), PLAIN), [*flood, candidate("other", similarity=0.3)]))
    assert [match.candidate.ticket_id for match in best] == ["flood", "other"]


def test_a_passage_that_holds_all_identifiers_comes_first() -> None:
    """Of passages with like scores, the one with more of the question's identifiers is first."""
    found = [candidate("1", "E-42", words=1), candidate("2", "E-42 on host-7", words=1)]
    best = best_of_each_ticket(fuse(Wanted(("e-42", "host-7"), (), IDENTIFIER), found, folded(found)))
    assert [match.candidate.ticket_id for match in best] == ["2", "1"]
    assert best[0].exact == ("e-42", "host-7")


def test_a_code_that_one_ticket_holds_outweighs_rare_words() -> None:
    """The only ticket with the question's code comes before one that has its other words, and a nearer meaning."""
    found = [
        candidate("1", "K-47387", similarity=0.1, words=4),
        candidate("2", "problem after update", similarity=0.6, words=8),
    ]
    for text, first in (("problem with K-47387 after the update", "1"), ("problem with 4711 after the update", "2")):
        wanted = _gate(text, ("k-47387",) if "K-" in text else ("4711",), found)
        best = best_of_each_ticket(fuse(wanted, found, folded(found)))
        assert best[0].candidate.ticket_id == first
    both = [found[0], candidate("2", "problem after update of K-47387", similarity=0.6, words=8)]
    assert _gate("problem with K-47387", ("k-47387",), both).unique == ()


def test_a_short_reply_ranks_its_ticket_and_is_not_shown() -> None:
    """A reply that matches by its subject alone keeps its score, and a passage that says more is shown."""
    said = "The tunnel breaks after a minute with error 809, on each of our laptops. " * 3
    found = [candidate("1", "Done.", similarity=0.62, chunk=2), candidate("1", said, similarity=0.55)]
    (best,) = best_of_each_ticket(fuse(Wanted((), (), PLAIN), found))
    assert best.candidate.similarity == 0.62
    assert best.shown is not None
    assert best.shown.chunk == 0


def test_a_short_reply_that_matches_much_better_is_shown() -> None:
    """A short passage is shown if it matches much better."""
    found = [candidate("1", "It was E-42.", similarity=0.6, words=9, chunk=1), candidate("1", "text " * 60)]
    (best,) = best_of_each_ticket(fuse(Wanted(("e-42",), (), IDENTIFIER), found, folded(found)))
    assert (best.shown or best.candidate).chunk == 1
