"""Personal data in several texts that are read as one."""

import pytest

from operators.pii.detector import Span
from operators.pii.find import find_in_parts, find_pii
from operators.pii.label_words import Label
from operators.pii.labels import label_before


def test_a_card_that_is_split_over_texts_is_found_in_both() -> None:
    """A card number that is split over two texts is a finding in each."""
    assert find_in_parts(["my card 4111 1111", "1111 1111 thanks", "no"]) == [
        [Span(8, 17, "CARD")],
        [Span(0, 9, "CARD")],
        [],
    ]


def test_a_password_in_the_next_message_is_found() -> None:
    """A password is found if its label ends one text and its value begins the next."""
    assert find_in_parts(["the password:", "hunter2"])[1] == [Span(0, 7, "SECRET")]


def test_a_private_key_that_is_cut_short_ends_with_its_text() -> None:
    """An unterminated private key ends with its text, and later texts are unchanged."""
    cut = "-----BEGIN PRIVATE KEY-----\nMIIE and cut off"
    assert find_in_parts(["é first", cut, "and the next"]) == [[], [Span(0, len(cut), "SECRET")], []]


def test_texts_with_nothing_in_them_have_no_findings() -> None:
    """Each text has a list of findings, empty if there are none."""
    assert find_in_parts([]) == []
    assert find_in_parts(["", "x", ""]) == [[], [], []]


@pytest.mark.parametrize("text", ["4111 1111 1111 1111", "é 4111 1111 1111 1111", "&amp; 4111 1111 1111 1111 ０"])
def test_one_text_alone_is_read_like_a_text(text: str) -> None:
    """A single text has the same findings as on its own."""
    assert find_in_parts([text]) == [find_pii(text)]


@pytest.mark.parametrize(
    ("before", "label"),
    [
        ("call me on ", "phone"),
        ("phone (work): ", "phone"),
        ("meine nummer ist ", "phone"),
        ("mi numero es ", "phone"),
        ("tel. ", "phone"),
        ("t: ", "phone"),
        ("customerphone: ", "phone"),
        ("我的电话是", "phone"),
        ("मेरा फोन ", "phone"),
        ("bestell-nummer: ", "order"),
        ("facture n° ", "order"),
        ("order #", "order"),
        ("phone me about order ", "order"),
        ("订单号", "order"),
        ("customer number ", "id"),
        ("call me. since ", "unknown"),
        ("phone 030123456 and ", "unknown"),
        ("it took ", "unknown"),
        ("5 m ", "unknown"),
    ],
)
def test_the_nearest_word_labels_a_number(before: str, label: Label) -> None:
    """The nearest label word counts, in many languages and over fillers, but not beyond another number or sentence."""
    assert label_before(before, len(before)) == label
