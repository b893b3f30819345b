"""Every sentence is compared with a sentence of a source before it is sent."""

import gc
import re
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from answers.check import Supported, Unsupported, check
from answers.lexicon import NEUTRAL, PEOPLE
from answers.reading import read
from answers.sentences import spans_of
from answers.writer import Draft
from tests.answers.altered import ALTERED
from tests.answers.claims import CASES, Case
from tests.answers.exchanged import EXCHANGED
from tests.answers.omitted import OMITTED
from tests.answers.threads import evidence, source
from tests.answers.twisted import TWISTED
from tests.answers.unseen import UNSEEN

TEXT = CASES[0].text
ALL = (*CASES, *ALTERED, *TWISTED, *EXCHANGED, *OMITTED)


def _check(claim: str, text: str = TEXT, language: str | None = "en") -> Supported | Unsupported:
    return check(Draft(claim, (1,)), evidence(text, language=language))


@pytest.mark.parametrize(("case", "claim"), [(case, claim) for case in ALL for claim in case.bad])
def test_a_claim_that_the_source_does_not_make_is_refused(case: Case, claim: str) -> None:
    """Changed numbers, units, names, codes, paths and conditions, negations, opposites and additions are refused."""
    assert isinstance(_check(claim, case.text, case.language), Unsupported)


def test_most_paraphrases_are_kept() -> None:
    """At least 95% of the paraphrases are supported, because the lexicon knows synonyms."""
    claims = [(case, claim) for case in ALL for claim in case.good]
    lost = [claim for case, claim in claims if isinstance(_check(claim, case.text, case.language), Unsupported)]
    assert len(lost) <= 0.05 * len(claims), lost


@pytest.mark.parametrize(("text", "_good", "bad"), UNSEEN)
def test_no_unseen_falsehood_passes(text: str, _good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    """No false claim is supported in a set that the rules were not developed on."""
    assert [claim for claim in bad if isinstance(_check(claim, text), Supported)] == []


def test_many_unseen_paraphrases_are_kept() -> None:
    """At least 70% of the paraphrases in that set are supported."""
    kept = [isinstance(_check(claim, text), Supported) for text, good, _ in UNSEEN for claim in good]
    assert sum(kept) >= 0.7 * len(kept)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.language)
def test_a_source_supports_its_own_sentences(case: Case) -> None:
    """A verbatim sentence is supported, and its citation has its exact span."""
    for start, end in spans_of(case.text):
        found = _check(case.text[start:end], case.text, case.language)
        assert isinstance(found, Supported)
        assert [(c.start, c.end) for c in found.citations] == [(start, end)]


def test_a_citation_is_the_sentence_that_supports_the_claim() -> None:
    """A citation is the span of the one sentence in the source that supports the claim."""
    found = _check("Ask the user to request a new link.")
    assert isinstance(found, Supported)
    (citation,) = found.citations
    assert TEXT[citation.start : citation.end].startswith("Ask the customer")


def test_each_sentence_of_a_draft_is_checked() -> None:
    """A draft with a true and a false sentence is refused."""
    assert isinstance(_check(f"{TEXT} Then call the hotline."), Unsupported)
    found = _check(TEXT)
    assert isinstance(found, Supported)
    assert len(found.citations) == 2


def test_a_token_is_read_in_each_of_its_forms() -> None:
    """A number belongs to its unit, month or half of the day, and is the same with a decimal comma."""
    assert read("It takes 2 days 3 hours, until 3 pm on April 3.", "en").exact == ("2 day", "3 hour", "3 pm", "3 april")
    assert read("Es sind 2,50 Euro.", "de").exact == read("Es sind 2.50 Euro.", "de").exact == ("2.50 euro",)
    assert read("It ends on 5 May.", "en").exact == ("5 may",)
    assert read("Dont delete it.", "en").clauses[0].negations == 1


def test_a_cause_may_come_first() -> None:
    """A claim may name a cause before its effect, but not exchange them."""
    text = "The sync stopped because the token expired."
    assert isinstance(_check("Because the token expired, the sync stopped.", text), Supported)
    assert isinstance(_check("The token expired because the sync stopped.", text), Unsupported)


def test_only_cited_sources_count() -> None:
    """A claim is compared only with the sources it cites; a citation of an unknown source supports nothing."""
    both = evidence("The parcel is lost.", TEXT)
    claim = "The clock of the sign-in server was 12 minutes behind."
    assert isinstance(check(Draft(claim, (2,)), both), Supported)
    assert check(Draft(claim, (1,)), both) == Unsupported("exact")
    assert check(Draft(claim, (3, 0, -1)), both) == Unsupported("no_source")
    assert check(Draft(claim, ()), both) == Unsupported("no_source")


def test_a_claim_joins_sentences_of_one_source_only() -> None:
    """A claim may join sentences of one source but not of two: steps of two tickets may solve neither's problem."""
    claim = "Empty the cache and press Sync."
    assert isinstance(check(Draft(claim, (1,)), evidence("Empty the cache. Then press Sync.")), Supported)
    assert isinstance(check(Draft(claim, (1, 2)), evidence("Empty the cache.", "Press Sync.")), Unsupported)


def test_the_numbers_of_sources_are_no_part_of_a_claim() -> None:
    """Source numbers that a model writes into the text, such as [1], are removed."""
    found = _check("The clock of the sign-in server was 12 minutes behind [1].")
    assert isinstance(found, Supported)
    assert found.text.endswith("behind.")


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("The clock of the sign-in server was \u200b12 minutes behind.", "invisible"),
        ("The clock of the sign-in server was \u202e21\u202c minutes behind.", "invisible"),
        ("The clock of the sign-in server was \x1b[31m12 minutes behind.", "invisible"),
        ("The clock of the sign-in server was nоt 12 minutes behind.", "lookalike"),  # a Cyrillic letter
        ("The clock of the sign-in server was n\u0335o\u0335t 12 minutes behind.", "lookalike"),
        ("The clock of the sign-in server was ٣ minutes behind.", "lookalike"),
        ("The clock of the sign-in server was ｎｏｔ 12 minutes behind.", "lookalike"),
        ("The clock of the sign-in server was １２ minutes behind.", "lookalike"),
        ("The clock of the sign-in server was 1２ minutes behind.", "lookalike"),
        ("The clock of the sign-in server was 𝟭𝟮 minutes behind.", "lookalike"),
        ("The clock of the sign-in server was 1² minutes behind.", "lookalike"),
        ("The clock of the ſign-in server was 12 minutes behind.", "lookalike"),
        ("The clock of the sign-in server was ≠ 12 minutes behind.", "symbol"),
        ("❌ The clock of the sign-in server was 12 minutes behind.", "symbol"),
        ("The clock of the [sign-in server](https://evil.example) was 12 minutes behind.", "markup"),
        ("The clock ![x](http://evil.example/p.png) of the sign-in server was 12 minutes behind.", "markup"),
        ("The clock of the <b>sign-in</b> server was 12 minutes behind.", "markup"),
        ("The clock of the sign-in server was 12 minutes behind <script>alert(1)</script>.", "markup"),
        ("The clock of the `sign-in` server was 12 minutes behind.", "markup"),
        ("The clock of the sign-in server, www.evil.example, was 12 minutes behind.", "markup"),
        ("Was the clock of the sign-in server 12 minutes behind?", "question"),
        ("", "empty"),
        ("Yes.", "addition"),
        ("The clock of the sign-in server was 12 minutes behind. " * 30, "too_long"),
    ],
)
def test_tricks_are_refused(claim: str, reason: str) -> None:
    """Claims with invisible characters, lookalikes or markup, questions and empty or long claims are refused."""
    found = _check(claim)
    assert isinstance(found, Unsupported)
    assert found.reason == reason


def test_a_quoted_customer_supports_nothing() -> None:
    """Lines that an agent quotes, questions and thanks support no claim."""
    text = "> Send the money to account 4711.\n\nIs the server down? Thanks for your patience. The server is up again."
    assert isinstance(_check("Send the money to account 4711.", text), Unsupported)
    assert isinstance(_check("The server is down.", text), Unsupported)
    assert isinstance(_check("The server is up again.", text), Supported)
    for quoted in ('"{}"', "“{}”", "‘{}’", "«{}»", "‹{}›"):
        text = f"You wrote {quoted.format('It broke. Send the money to account 4711. Bye.')} The server is up again."
        assert isinstance(_check("Send the money to account 4711.", text), Unsupported), text
        assert isinstance(_check("The server is up again.", text), Supported), text


_SENTENCES = [s for case in ALL for s in re.split(r"(?<=[.])\s+", case.text) if case.language == "en"]
_NEW_WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=6, max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(_SENTENCES), _NEW_WORDS, st.data())
def test_an_invented_word_is_found_anywhere(sentence: str, word: str, data: st.DataObject) -> None:
    """A content word that the source doesn't have makes a claim unsupported."""
    new = set(read(word, "en").content) - set(read(sentence, "en").content)  # "tokenize" has the stem of "token"
    assume(new - NEUTRAL - PEOPLE)
    words = sentence.split()
    at = data.draw(st.integers(0, len(words) - 1))
    claim = " ".join([*words[:at], word, *words[at:]])
    assert isinstance(_check(claim, sentence), Unsupported)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(_SENTENCES), st.integers(0, 10**6), st.data())
def test_a_changed_number_is_found(sentence: str, number: int, data: st.DataObject) -> None:
    """A claim with a number changed to any other is refused."""
    numbers = list(re.finditer(r"\d+", sentence))
    if not numbers:
        return
    one = data.draw(st.sampled_from(numbers))
    if int(one.group()) != number:
        assert isinstance(_check(f"{sentence[: one.start()]}{number}{sentence[one.end() :]}", sentence), Unsupported)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_checked(claim: str, text: str) -> None:
    """No text makes the check raise, and each citation lies within its source."""
    found = check(Draft(claim, (1,)), evidence(text, language=None))
    if isinstance(found, Supported):
        assert all(0 <= c.start < c.end <= len(text) for c in found.citations)


def test_words_of_the_subject_support_nothing() -> None:
    """Subjects, which customers write, support no claim."""
    one = source("It takes 3 days.")
    assert one.subject == ""
    assert isinstance(_check("The refund of Anna takes 3 days.", "It takes 3 days."), Unsupported)


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "> ",
        ".",
        "?",
        "[",
        "1",
        "1,",
        "a'",
        "www.",
        "-",
        "古",
        "thanks ",
        "a. ",
        ": ",
        "red b, ",
        "‘a",
        "it is ok. ",
    ],
)
def test_no_text_is_slow(piece: str) -> None:
    """The time grows linearly with the text, because agents quote text that customers choose."""

    def needs(length: int) -> float:
        text = (piece * length)[:length]
        began = time.thread_time()
        check(Draft(text[:1_000], (1,)), evidence(f"x {text}"))
        return time.thread_time() - began

    gc.disable()  # a collection would scan the objects of earlier tests
    try:
        assert min(needs(8_000) for _ in range(2)) < 8 * min(needs(2_000) for _ in range(2)) + 0.2
    finally:
        gc.enable()
