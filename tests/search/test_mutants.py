"""Each rule of searching has a test that fails on the rule's mutant: its source with one fault."""

from typing import Final

import pytest

from tests.rigs.mutation import mutant

#: Module of search/, code, the fault that replaces it, and the test that must fail.
_MUTANTS: Final = {
    "a passage is a hit": (
        "fuse",
        "tickets.setdefault(match.candidate.ticket_id, [])",
        "tickets.setdefault(str(match), [])",
        "test_find.test_a_ticket_is_found_once",
    ),
    "words do not count": (
        "fuse",
        "weight * words",
        "weight * 0",
        "test_fuse.test_the_score_weighs_meaning_and_words",
    ),
    "BM25 is added as it is": (
        "fuse",
        "candidate.words / highest if",
        "candidate.words if",
        "test_fuse.test_the_score_weighs_meaning_and_words",
    ),
    "the gate is always open": (
        "fuse",
        "IDENTIFIER if known or question.phrases else",
        "IDENTIFIER if True else",
        "test_find.test_an_unknown_identifier_leaves_the_gate_shut",
    ),
    "the gate is never open": (
        "fuse",
        "IDENTIFIER if known or question.phrases else",
        "IDENTIFIER if False else",
        "test_fuse.test_words_weigh_much_beside_a_known_identifier",
    ),
    "a rare word is like any other": (
        "fuse",
        "PLAIN + _PER_LEAD * lead",
        "PLAIN",
        "test_fuse.test_words_that_point_to_one_ticket_weigh_much",
    ),
    "a paraphrase's words count": (
        "fuse",
        "return held * min(",
        "return min(",
        "test_fuse.test_words_that_no_ticket_holds_together_weigh_nothing",
    ),
    "a part is the whole identifier": (
        "fuse",
        "        if starts and not",
        "        if True or not",
        "test_fuse.test_a_part_of_a_longer_identifier_is_another",
    ),
    "every script has ends of words": (
        "fuse",
        " and not (is_unspaced(one) or is_unspaced(other))",
        "",
        "test_fuse.test_case_and_punctuation_do_not_matter",
    ),
    "a quantity is an identifier": (
        "fuse",
        "if len(words) > _FEW_WORDS:",
        "if False:",
        "test_fuse.test_a_small_number_is_an_identifier_in_a_short_question_only",
    ),
    "a year is an answer": (
        "confidence",
        "not is_small_number(one) for",
        "True for",
        "test_confidence.test_a_small_number_that_a_ticket_holds_is_no_answer",
    ),
    "invisible characters stay": (
        "question",
        "text = remove_invisible(",
        "text = str(",
        "test_find.test_invisible_characters_in_a_question_are_removed",
    ),
    "a long question has no identifiers": (
        "fuse",
        "Wanted(unique, (), LONG, unique)",
        "Wanted((), (), LONG)",
        "test_find.test_the_identifier_of_a_long_question_finds_its_ticket",
    ),
    "a frequent identifier stands for a long question": (
        "fuse",
        "len(holders[one]) == 1 and",
        "",
        "test_find.test_the_identifier_of_a_long_question_finds_its_ticket",
    ),
    "a log is recognised by its names": (
        "marks",
        "whole if len(whole) <= _MOST else ()",
        "whole",
        "test_marks.test_a_text_of_many_identifiers_has_no_marks",
    ),
    "a mark weighs as a word": (
        "marks",
        "np.float32(_WEIGHT)",
        "np.float32(1)",
        "test_marks.test_a_mark_weighs_more_than_a_word",
    ),
    "a code of one ticket is like any other": (
        "fuse",
        "isdisjoint(exact) else UNIQUE_BONUS",
        "isdisjoint(exact) else 0.0",
        "test_fuse.test_a_code_that_one_ticket_holds_outweighs_rare_words",
    ),
    "held identifiers give no bonus": (
        "fuse",
        "EXACT_BONUS * len(exact)",
        "0 * len(exact)",
        "test_fuse.test_a_passage_that_holds_all_identifiers_comes_first",
    ),
    "a short reply is shown": (
        "fuse",
        "_PER_SHORT * short - match.score",
        "-match.score",
        "test_fuse.test_a_short_reply_ranks_its_ticket_and_is_not_shown",
    ),
    "a factor has no bound": (
        "rank",
        "1 + strength.solved if",
        "5 + strength.solved if",
        "test_rank.test_factors_are_bounded",
    ),
    "age lowers without bound": (
        "rank",
        "1 + strength.recent * 0.5",
        "0.5",
        "test_rank.test_factors_are_bounded",
    ),
    "switched-off factors count": (
        "rank",
        "if strength.solved and is_solved(ticket) else",
        "if is_solved(ticket) else",
        "test_rank.test_without_factors_the_match_decides",
    ),
    "what is solved does not count": (
        "find",
        "rank(best, plan.factors, now_ms,",
        "rank(best, Factors(solved=0, recent=0), now_ms,",
        "test_find.test_a_solved_ticket_is_preferred",
    ),
    "something is always found": (
        "find",
        "not ranked or sure < plan.min_confidence",
        "not ranked",
        "test_find.test_a_far_question_finds_nothing",
    ),
    "nothing is ever found": (
        "find",
        "not ranked or sure < plan.min_confidence",
        "True",
        "test_find.test_a_far_question_finds_nothing",
    ),
    "an identifier is no answer": (
        "confidence",
        "if exact or (",
        "if (",
        "test_confidence.test_an_identifier_that_a_ticket_holds_is_an_answer",
    ),
    "filters are forgotten": (
        "find",
        "msgspec.structs.replace(question.query, limit=",
        "msgspec.structs.replace(query, limit=",
        "test_find.test_filters_in_the_question_reach_the_index",
    ),
    "filters widen": (
        "question",
        "tuple(one for one in given if one in values) if given else values",
        "given + values",
        "test_question.test_filters_in_the_text_never_widen_the_query",
    ),
    "a later date widens": (
        "question",
        "moment if after is None else max(after, moment)",
        "moment",
        "test_question.test_filters_in_the_text_never_widen_the_query",
    ),
    "pasted text filters": (
        "question",
        'if len(text) > _LONG or "\\n" in text.strip():',
        "if False:",
        "test_question.test_pasted_text_has_no_filters",
    ),
    "a phrase is a wish": (
        "find",
        "if question.required:",
        "if False:",
        "test_find.test_a_required_phrase_is_held_by_every_hit",
    ),
    "few candidates": (
        "find",
        "_PHRASE_POOL if question.phrases else POOL)",
        "1)",
        "test_find.test_each_retrieval_finds_more_than_the_limit",
    ),
    "personal data is searched for": (
        "find",
        "spans = find_pii(text)",
        "spans = find_pii('')",
        "test_find.test_personal_data_in_a_question_is_redacted",
    ),
    "redaction eats identifiers": (
        "find",
        "kept = whole.get(span) in known",
        "kept = False",
        "test_find.test_a_number_that_tickets_hold_is_not_lost_to_redaction",
    ),
    "internal notes unlock redaction": (
        "find",
        "public_only=public)",
        "public_only=False)",
        "test_find.test_a_public_question_reads_no_internal_notes",
    ),
    "internal notes are alike": (
        "similar",
        "public_only=query.public_only",
        "public_only=False",
        "test_find.test_a_public_question_reads_no_internal_notes",
    ),
    "a ticket is like itself": (
        "similar",
        "if one.ticket_id != ticket_id]",
        "]",
        "test_find.test_similar_tickets_leave_the_ticket_out",
    ),
    "every hit is by both": (
        "explain",
        "    if by_words == by_meaning:",
        '    return "both"\n    if by_words == by_meaning:',
        "test_explain.test_a_hit_says_why_it_was_found",
    ),
    "the best passage is shown": (
        "explain",
        "match.shown or match.candidate",
        "match.candidate",
        "test_explain.test_the_shown_passage_gives_the_place_and_the_best_one_the_scores",
    ),
}


@pytest.mark.parametrize("name", _MUTANTS)
def test_each_rule_catches_its_mutant(name: str) -> None:
    """The test passes on the code and fails on the mutant."""
    module, code, fault, test = _MUTANTS[name]
    with (
        mutant("search", module, code, fault, test) as run,
        pytest.raises((AssertionError, pytest.fail.Exception)),
    ):
        run(index="filled")
