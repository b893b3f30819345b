"""Lone surrogates in JSON, and escapes that look like them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.json_escapes import replace_half_surrogates


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        (rb'"Great \ud83d"', rb'"Great \ufffd"'),
        (rb'"\uDE00 app"', rb'"\ufffd app"'),
        (rb'"\ude00\ud83d"', rb'"\ufffd\ufffd"'),
        (rb'"\ud83d\ud83d\ude00"', rb'"\ufffd\ud83d\ude00"'),
        (rb'"\\\ud83d"', rb'"\\\ufffd"'),
        (rb'"\ud83d\ude00"', None),
        (rb'"\\ud83d"', None),
        (rb'"\u00e9\n\""', None),
        (rb'"\ud83', None),
        (b"{}", None),
    ],
)
def test_half_a_pair_becomes_the_replacement_character(value: bytes, whole: bytes | None) -> None:
    """A lone surrogate becomes U+FFFD; pairs and other escapes stay. The result is None if nothing was replaced."""
    assert replace_half_surrogates(value) == whole


@given(st.text(st.characters() | st.characters(categories=["Cs"])))
def test_only_lone_surrogates_are_replaced(text: str) -> None:
    """The result decodes to the same text as Python's decoder gives after replacing lone surrogates."""
    value = json.dumps(text).encode()
    whole = replace_half_surrogates(value)
    paired = json.loads(value)
    assert json.loads(whole or value) == "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in paired)
