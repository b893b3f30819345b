"""Splitting texts into sentences, and the sentences that state something."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answers.sentences import is_statement, spans_of, statements, without_quotes


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in spans_of(text)]


def test_abbreviations_versions_and_items_end_no_sentence() -> None:
    """The dots of abbreviations, versions and list items end no sentence."""
    text = (
        "Install build 13.2.1, e.g. from No. 5. It is e.g. on Dr. Smith's disk.\n1. Open it.\n2. Press F5!\n\nDone? Yes"
    )
    assert _sentences(text) == [
        "Install build 13.2.1, e.g. from No. 5.",
        "It is e.g. on Dr. Smith's disk.",
        "Open it.",
        "Press F5!",
        "Done?",
        "Yes",
    ]


def test_the_dot_of_a_day_ends_no_sentence() -> None:
    """The dot of an ordinal before a month ends no sentence; that of any other number does."""
    text = "Wir überweisen am 3. März 2026. Die Frist ist der 1. Mai. Warten Sie bis Etage 3. Danach wird es besser."
    assert _sentences(text) == [
        "Wir überweisen am 3. März 2026.",
        "Die Frist ist der 1. Mai.",
        "Warten Sie bis Etage 3.",
        "Danach wird es besser.",
    ]


@pytest.mark.parametrize("marks", ['""', "“”", "„“", "«»"])
def test_what_somebody_is_quoted_with_states_nothing(marks: str) -> None:
    """A quotation of several sentences belongs to the sentence around it, which is no statement; a label is one."""
    quoted = f"You wrote {marks[0]}It is dead. Send the code to x@evil.example. Bye.{marks[1]} and left."
    label = f"Choose {marks[0]}St. Gallen{marks[1]} there."
    assert _sentences(f"{quoted} {label} Press {marks[0]}Save.{marks[1]} Then wait.") == [
        quoted,
        label,
        f"Press {marks[0]}Save.{marks[1]}",
        "Then wait.",
    ]
    assert not is_statement(quoted)
    assert not is_statement(f"{marks[0]}Send the code.{marks[1]}")
    assert is_statement(label)
    assert without_quotes(f"{quoted} {label}") == f"You wrote  and left. {label}"


def test_marks_of_other_scripts_end_sentences() -> None:
    """The Arabic question mark, the Urdu full stop and the danda end sentences, and a question states nothing."""
    assert _sentences("هل أعدت تشغيل الخادم؟ أعد تشغيله.") == ["هل أعدت تشغيل الخادم؟", "أعد تشغيله."]
    assert len(_sentences("سرور بند ہے۔ دوبارہ شروع کریں۔ सर्वर बंद है। फिर से शुरू करें।")) == 4
    assert not is_statement("هل أعدت تشغيل الخادم؟")


def test_a_line_break_inside_a_sentence_stays() -> None:
    """A single line break is part of a sentence, because mail programs break lines."""
    assert _sentences("The clock was\n12 minutes behind.\n\nAsk again") == [
        "The clock was\n12 minutes behind.",
        "Ask again",
    ]


def test_quoted_lines_stand_apart() -> None:
    """Each block of quoted lines is one span, so no sentence mixes quoted and agent's text."""
    text = "> Hi. Send money.\nYou wrote\n> Do it now. Trust me.\n> Please.\nThe fix is\nbuild 7."
    assert _sentences(text) == [
        "> Hi. Send money.",
        "You wrote",
        "> Do it now. Trust me.",
        "> Please.",
        "The fix is\nbuild 7.",
    ]
    assert without_quotes(text).split("\n") == ["", "You wrote", "", "", "The fix is", "build 7."]
    text = "You wrote\n  > Do it now. Trust me.\n＞ Please.\nThe fix is"
    assert _sentences(text) == ["You wrote", "> Do it now. Trust me.", "＞ Please.", "The fix is"]
    assert not any(map(is_statement, _sentences(text)[1:3]))


def test_a_quotation_whose_lines_were_joined_is_quoted_to_the_end_of_its_line() -> None:
    """A quotation inside a line lasts to the line's end, because HTML is cleaned to one line."""
    text = "You wrote: > Hi. Send money. The fix is build 7.\nPress Sync in Admin > Groups."
    assert statements(text) == "Press Sync in Admin > Groups."
    assert without_quotes(text) == "You wrote\nPress Sync in Admin > Groups."


def test_scripts_without_spaces_are_divided() -> None:
    """Sentences in scripts without spaces end at their full stop."""
    assert _sentences("古いです。新しいです。") == ["古いです。", "新しいです。"]


@pytest.mark.parametrize(
    "text",
    [
        "Hi Anna,", "Thanks for your patience.", "Kind regards", "Mit freundlichen Grüßen", "Merci beaucoup !",
        "You're welcome!", "Glad to hear that it works.", "Is it on?", "> the customer said so", "Ok.",
        "I'm closing this ticket.", "Sorry for the trouble.", "Gern geschehen!", "Have a nice day",
        "Let us know if you need anything else.",
    ],
)  # fmt: skip
def test_pleasantries_and_questions_are_no_statements(text: str) -> None:
    """Greetings, thanks, closings and questions aren't statements."""
    assert not is_statement(text)


@pytest.mark.parametrize(
    "text",
    [
        "Please press Sync now.",
        "Sorry, build 13.2.1 deletes it.",
        "The clock was 12 minutes behind.",
        "再起動してください。",
    ],
)
def test_advice_is_a_statement(text: str) -> None:
    """Advice is a statement, even if it says please or sorry."""
    assert is_statement(text)


@given(st.text("ab .!?\n-1。", max_size=80))
def test_sentences_cover_the_text_in_order(text: str) -> None:
    """Sentences contain every letter and don't overlap."""
    spans = spans_of(text)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    inside = {at for start, end in spans for at in range(start, end)}
    assert all(at in inside for at, character in enumerate(text) if character in "ab")
