"""Each rule of an answer has a test that fails on the rule's mutant: its source with one fault."""

from typing import Final

import pytest

from tests.rigs.mutation import mutant

_CLAIMS: Final = "test_check.test_a_claim_that_the_source_does_not_make_is_refused"
_TOKENS: Final = "test_check.test_a_token_is_read_in_each_of_its_forms"
_TRICKS: Final = "test_check.test_tricks_are_refused"

#: Module of answers/, code, the fault that replaces it, and the test that must fail.
_MUTANTS: Final = {
    "numbers are not compared": (
        "check", "not _holds_in_order(claim.exact, sentence.exact)", "False", _CLAIMS,
    ),
    "numbers may change places": ("check", "rest = iter(held)", "rest = held", _CLAIMS),
    "names are not compared": ("check", "not _holds_in_order(claim.names, sentence.content)", "False", _CLAIMS),
    "menus are not compared": ("check", "not all(path in sentence.plain for path in claim.paths)", "False", _CLAIMS),
    "conditions are not compared": ("check", "claim.conditions != sentence.conditions,", "False,", _CLAIMS),
    "opposites are the same": (
        "check", "_is_flipped(claim.forms, sentence.forms) or flips_clause(claim, sentence)", "False", _CLAIMS,
    ),
    "clauses may exchange opposites": ("check", " or flips_clause(claim, sentence)", "", _CLAIMS),
    "a number goes with a later clause": ("check", "misplaces_later_word(claim, sentence),", "False,", _CLAIMS),
    "a condition is about anything": ("check", "restricts_others(claim, sentence),", "False,", _CLAIMS),
    "a cause is an effect": ("reading", 'CAUSES.get(folded, "")', '""', "test_check.test_a_cause_may_come_first"),
    "what is not needed is forbidden": ("reading", 'self._conditions.append("unneeded")', "pass", _CLAIMS),
    "an aim may be the start": ("check", "swaps_aim(claim, sentence),", "False,", _CLAIMS),
    "agent and object may change places": ("check", "return swaps_voice(claim, sentence)", "return False", _CLAIMS),
    "we are you": ("check", "are_others(claim, sentence),", "False,", _CLAIMS),
    "a part needs no verb": ("check", "one := _align_whole(", "one := _align_to(", _CLAIMS),
    "a quoted label is a fact": ("check", "fault is None and is_quoted(", "False and is_quoted(", _CLAIMS),
    "common words may be added freely": ("check", "> _MOST_NEUTRAL", "> 99", _CLAIMS),
    "a range is its end": ("quantities", " or _ends_range(token, heard)", "", _CLAIMS),
    "paths have no case": ("tokens", r"|~?/\w|\.{1,2}/|", "|", _CLAIMS),
    "wildcards say nothing": ("sentences", 'OUTER.replace("*", "") if raw', "OUTER if raw", _CLAIMS),
    "words may change places": (
        "check", "_is_reordered(claim, sentence),", "False,", "test_check.test_no_unseen_falsehood_passes",
    ),
    "words may be added": (
        "check", "not set(claim.content) - _neutral(claim, sentence)", "False and not set()", _CLAIMS,
    ),
    "negations are not compared": (
        "check", "None if all(_same_negation(", "None if True or all(_same_negation(", _CLAIMS,
    ),
    "a time is two numbers": ("reading", "(?<![0-9A-Za-z]):|:(?![0-9/\\\\])", ":", _CLAIMS),
    "a decimal comma ends a clause": ("quantities", '_DECIMAL.sub(".", ', "(lambda text: text)(", _TOKENS),
    "a number goes with any unit": ("quantities", 'return f"{before} {token}"', "return None", _TOKENS),
    "a day goes with any month": ("quantities", 'return f"{token} {before}"', "return None", _TOKENS),
    "bounds are not compared": ("quantities", "return sign + token", "return token", _CLAIMS),
    "morning is evening": ("quantities", "if word in _HALVES and", "if False and", _TOKENS),
    "May is a verb": ("reading", 'is_month = word == "May" and', "is_month = False and", _TOKENS),
    "single letters are not compared": ("tokens", "return folded if is_letter or", "return folded if", _CLAIMS),
    "options are not compared": ("tokens", "if _OPTION.match(word):", "if False:", _CLAIMS),
    "a dash joins words": ("quantities", '" - ")', '"-")', _CLAIMS),
    "careless negations say nothing": ("reading", "or careless:", "or False:", _TOKENS),
    "prefixes say nothing": ("tokens", "if word.casefold().startswith(_PREFIXES):", "if False:", _CLAIMS),
    "ne alone says nothing": ("reading", "if self._ne and not self._negated:", "if False:", _CLAIMS),
    "what fails has happened": ("check", "not all(_same_outcome(", "False and all(_same_outcome(", _CLAIMS),
    "sentences may change places": ("check", " and places == sorted(set(places))", "", _CLAIMS),
    "a name may become the subject": ("check", "for place in claim.openers:", "for place in ():", _CLAIMS),
    "anybody may have done it": ("check", 'people -= {"customer"}', "pass", _CLAIMS),
    "it is always solved": ("check", "NEUTRAL - FIX", "NEUTRAL", _CLAIMS),
    "a day ends its sentence": (
        "sentences", "is_month(following[1])", "False", "test_sentences.test_the_dot_of_a_day_ends_no_sentence",
    ),
    "conditions may join anything": (
        "check", "and not whole.conditions and not whole.ordered", "", _CLAIMS,
    ),
    "any source will do": (
        "check", "in dict.fromkeys(draft.sources) if", "in range(1, len(evidence.sources) + 1) if",
        "test_check.test_only_cited_sources_count",
    ),
    "only the first sentence is checked": (
        "check", "in spans_of(text):\n        found = _align(", "in spans_of(text)[:1]:\n        found = _align(",
        "test_check.test_each_sentence_of_a_draft_is_checked",
    ),
    "words may be left out": ("omissions", "if not said or any(", "if False and any(", _CLAIMS),
    "a pronoun stands for a later word": (
        "omissions", "*range(before)}", "*range(len(sentence.clauses))}", _CLAIMS,
    ),
    "a condition may be about another clause": (
        "omissions", " or _limits_others(clause, whole, sentence)", "", _CLAIMS,
    ),
    "too old is old": ("reading", '["too"] * (not', '["too"] * 0 * (not', _CLAIMS),
    "an opening may be left out": ("omissions", "(clause.opens or ", "(False or ", _CLAIMS),
    "what failed may be left out": ("omissions", "clause.comments or ", "", _CLAIMS),
    "a half may be left out": ("omissions", "(clause.comments or _is_quantity(clause))", "clause.comments", _CLAIMS),
    "steps may be in any order": ("omissions", "if firsts != sorted(firsts) and not", "if False and not", _CLAIMS),
    "a judgement is a sentence of its own": (
        "sentences", "if _JUDGING.match(text, match.end()):", "if False:", _CLAIMS,
    ),
    "what is not recommended is": ("reading", 'self._conditions.append("discouraged")', "pass", _CLAIMS),
    "words mean what they mean alone": (
        "conditions", "return [condition for condition, holds in found.items() if holds]", "return []", _CLAIMS,
    ),
    "a replacement may be the old part": ("reading", " or EXCHANGING.search(folded) is not None", "", _CLAIMS),
    "bits are bytes": ("tokens", "if bits is not None:", "if False:", _CLAIMS),
    "an abbreviation ends a clause": (
        "quantities", "_ABBREVIATED.sub(lambda", "(lambda _by, whole: whole)(lambda", _CLAIMS,
    ),
    "one in five is five": ("quantities", '_SHARE.sub("1 ", text)', "text", _CLAIMS),
    "a verb is a conjunction": ("reading", ' or word.casefold() in {"è", "é"}', "", _CLAIMS),
    "what was not found is so": ("reading", " and not (self._negated or self._averts or self._guard)", "", _CLAIMS),
    "only double quotes quote": (
        "sentences", r"‘(?:[^‘’\n]|’(?=\w)){1,600}’(?!\w)|", "", "test_check.test_a_quoted_customer_supports_nothing",
    ),
    "markup passes": ("check", "any(match.group() not in sources for", "any(False for", _TRICKS),
    "symbols pass": ("check", "c not in _SYMBOLS for c in foreign", "False for c in foreign", _TRICKS),
    "lookalikes pass": ("check", "any(_is_lookalike(c) for c in foreign)", "False", _TRICKS),
    "invisible characters pass": ("check", "remove_invisible(text) != text or any(", "any(False and ", _TRICKS),
    "quotations are evidence": (
        "sentences", "_QUOTE.search(sentence) or ", "", "test_check.test_a_quoted_customer_supports_nothing",
    ),
    "a quotation is many statements": (
        "sentences", "if inside[match.end()] or not", "if not", "test_check.test_a_quoted_customer_supports_nothing",
    ),
    "customers' words are evidence": (
        "evidence", 'payload.get("role") == "agent" and payload.get("visibility") == "public"',
        'payload.get("visibility") == "public"', "test_evidence.test_customers_and_notes_are_no_evidence",
    ),
    "internal notes are evidence": (
        "evidence", ' and payload.get("visibility") == "public"', "",
        "test_evidence.test_customers_and_notes_are_no_evidence",
    ),
    "open tickets are evidence": (
        "evidence", " and _is_solved(one.thread)]", "]",
        "test_evidence.test_open_tickets_and_other_tenants_are_no_evidence",
    ),
    "other tenants' tickets are evidence": (
        "evidence", "one.thread.tenant_id == tenant_id and ", "",
        "test_evidence.test_open_tickets_and_other_tenants_are_no_evidence",
    ),
    "what was taken back stays": (
        "evidence", "if is_correction(later.text):", "if False:",
        "test_evidence.test_a_message_that_the_next_one_takes_back_is_no_evidence",
    ),
    "what was denied stays": (
        "agreement", "if _negated(one) == _negated(other) or", "if True or",
        "test_evidence.test_a_message_that_the_next_one_takes_back_is_no_evidence",
    ),
    "old resolutions stay": (
        "evidence", "by_ticket.keys() - replaced.keys()", "by_ticket.keys()",
        "test_evidence.test_the_newest_of_contradictory_resolutions_counts",
    ),
    "an order's ticket is replaced by another's": (
        "evidence", "if exact[ticket_id] <= exact[one.ticket_id]", "",
        "test_evidence.test_a_newer_ticket_that_is_not_about_the_question_replaces_nothing",
    ),
    "an answer in another language is as good": (
        "evidence", " + _LANGUAGE * _is_in(language, source))", ")",
        "test_evidence.test_the_language_of_the_question_comes_first_among_like_tickets",
    ),
    "the language outweighs the match": (
        "evidence", "_LANGUAGE: Final = 0.08", "_LANGUAGE: Final = 1.0",
        "test_evidence.test_the_language_of_the_question_comes_first_among_like_tickets",
    ),
    "tickets are near though nothing was found": (
        "evidence", "() if self.nothing else tuple(", "tuple(", "test_evidence.test_the_nearest_tickets_are_few",
    ),
    "all that was found is near": (
        "evidence", "tuple(first.values())[:_NEAREST]", "tuple(first.values())",
        "test_evidence.test_the_nearest_tickets_are_few",
    ),
    "openings are sentences like others": (
        "extractive", "            belongs = not opening", "            belongs = True",
        "test_writers.test_synthetic_openings_are_left_out_and_no_fix_is",
    ),
    "short sentences say nothing": (
        "extractive", "_BARE: Final = 1", "_BARE: Final = 9",
        "test_writers.test_synthetic_openings_are_left_out_and_no_fix_is",
    ),
    "all of a message before the resolution belongs to it": (
        "extractive", "belongs = bool(one.words & topic[one.number]) or", "belongs = True or",
        "test_writers.test_a_message_before_the_resolution_gives_what_belongs_to_it",
    ),
    "drafts are sent unchecked": (
        "answer", "if isinstance(found, Unsupported):",
        "if isinstance(found, Unsupported):\n            return Sentence(draft.text, ())\n        if 0:",
        "test_answer.test_unsupported_sentences_are_not_sent",
    ),
    "any source may be cited": (
        "answer", "citation.source in self._best for", "True for",
        "test_answer.test_sentences_wait_for_one_that_cites_the_best_resolution",
    ),
    "what waited is sent whole": (
        "answer", "deque(maxlen=MAX_SENTENCES)", "deque()",
        "test_answer.test_an_answer_is_bounded_although_sentences_waited",
    ),
    "the confidence does not matter": (
        "answer", "or evidence.confidence < asked.min_confidence", "",
        "test_answer.test_without_good_evidence_nobody_is_asked",
    ),
    "another writer goes on": (
        "answer", "return self.sent > 0", "return False",
        "test_answer.test_after_the_first_sentence_nobody_else_is_asked",
    ),
    "an answer that was stopped is done": (
        "answer", "    if stop.is_set():\n        return\n    yield run.usage()", "    yield run.usage()",
        "test_answer.test_a_stop_ends_the_events",
    ),
    "a cut output is whole": (
        "model_writer", "if end is None:\n            raise",
        "end = end or End('stop')\n        if False:\n            raise",
        "test_writers.test_a_model_that_fails_is_told_by_its_kind",
    ),
    "half a line is a sentence": (
        "model_writer", 'if end.reason == "stop":', "if True:",
        "test_writers.test_at_the_maximum_of_tokens_the_unfinished_line_is_dropped",
    ),
    "rules may be repeated": (
        "model_writer", "canary in draft.text", "False", "test_writers.test_a_model_that_repeats_its_rules_has_failed",
    ),
    "an output may be endless": (
        "drafts", "if self._read > MAX_OUTPUT:", "if False:",
        "test_writers.test_a_model_that_fails_is_told_by_its_kind",
    ),
    "the key forgets the sources' texts": (
        "key", "sha256(s.text.encode()).hexdigest()", "0",
        "test_answer.test_the_key_changes_with_everything_an_answer_depends_on",
    ),
    "the key forgets the tenant": (
        "key", "(rules, tenant_id, audience,", "(rules, audience,",
        "test_answer.test_the_key_changes_with_everything_an_answer_depends_on",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", _MUTANTS)
def test_each_rule_catches_its_mutant(name: str) -> None:
    """The test passes on the code and fails on the mutant."""
    module, code, fault, test = _MUTANTS[name]
    with (
        mutant("answers", module, code, fault, test) as run,
        pytest.raises((AssertionError, pytest.fail.Exception)),
    ):
        run()
