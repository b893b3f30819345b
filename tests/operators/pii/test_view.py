"""The folded view of a text, and the way back to its offsets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.pii.view import View


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("４１１１", "4111"),
        ("⁴¹¹¹ ①② 𝟒𝟏 ४१ ٤١ ๔๑", "4111 12 41 41 41 41"),
        ("4️⃣1️⃣", "41"),
        ("4\u200b1\u2060\u00ad1\U000e0041\u0332", "411"),
        ("ada＠example。com", "ada@example.com"),
        ("a\u00a0b\u2003c\u3000d", "a b c d"),
        ("1–2—3−4", "1-2-3-4"),
        ("a&nbsp;b &#64; &#x40; &amp;#64; &commat;", "a b @ @ @ @"),
        ("a%40b.org %2B49", "a@b.org +49"),
        (r"x:\n4111 a\u0040b \/home\/ada", "x:\n4111 a@b /home/ada"),
        (r"C:\Users\nina &unknown; 100% A&B", r"C:\Users\nina &unknown; 100% A&B"),
        ("Ünïcode naïve ß ﬁ", "Ünïcode naïve ß fi"),
    ],
)
def test_what_readers_take_for_ascii_becomes_ascii(text: str, folded: str) -> None:
    """Lookalike digits and signs, and escapes, are folded to ASCII; ordinary letters stay."""
    assert View(text).text == folded


_PIECES = [
    "a",
    "1",
    " ",
    "\u200b",
    "４",
    "\ufe0f",
    "&nbsp;",
    "&#64;",
    "ﬁ",
    "é",
    "日",
    "½",
    r"\n",
    r"\u00a0",
    "&x",
    "İ",
    "%40",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
def test_every_character_leads_back_to_the_one_it_was_folded_from(text: str) -> None:
    """Source spans are within the text, in order, and reach its end; kept characters are their own source."""
    view = View(text)
    assert len(view.lower) == len(view.text)
    last = 0
    for at, character in enumerate(view.text):
        start, end = view.source(at, at + 1)
        assert last <= end
        assert 0 <= start < end <= len(text)
        assert character in View(text[start:end]).text
        last = end
    if view.text:
        assert view.source(0, len(view.text))[1] == len(text)


def test_invisible_characters_behind_a_value_go_with_it() -> None:
    """The variation selector and the keycap behind the last digit are part of the finding."""
    assert View("x4️⃣ y").source(1, 2) == (1, 4)
