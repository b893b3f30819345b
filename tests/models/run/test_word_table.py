"""The table of words: its tokens are the tokenizer's own, and it is bounded."""

from pathlib import Path
from typing import Final

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

from models.run import word_table
from models.run.tokenise import InputTokenizer, TextTokenizer, load_tokenizer
from models.run.word_table import WordTable, find_words
from models.store.cards import TOKENIZER
from tests.models import tiny

_LENGTH: Final = 24
_TEXTS: Final = st.lists(
    st.text(st.sampled_from("ab cl.LTé\u0301\n\t\r\x0b\x1c\x85\xa0\u2028\u3000中[]ßΣ") | st.characters())
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a small BERT tokenizer."""
    folder = tmp_path_factory.mktemp("tiny")
    tiny.make(folder)
    return folder / TOKENIZER


def _table(path: Path) -> WordTable:
    found = find_words(load_tokenizer(path))
    assert found is not None
    return found


@given(texts=_TEXTS)
@example(texts=["the card", "", " ", "a\n\nb", "[SEP] [CLS]", "card " * 60, "a\x0bb a\x85b a\u2028b", "e \u0301e"])
def test_the_tokens_are_the_tokenizers_own(path: Path, texts: list[str]) -> None:
    """Whatever stands between the words, a text has the ids and the number of tokens that the tokenizer gives it."""
    words, cut, whole = _table(path), load_tokenizer(path, max_length=_LENGTH), load_tokenizer(path)
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    for _again in range(2):  # from the tokenizer, then from the table
        found = InputTokenizer(cut, max_length=_LENGTH, words=words).ids(texts)
        assert [one.tolist() for one in found] == [cut.encode(text).ids for text in texts]
        spans = TextTokenizer(whole, max_length=_LENGTH, prefixes=[""], words=words).spans(texts)
        assert [len(one) for one in spans] == [len(whole.encode(text, add_special_tokens=False)) for text in texts]
        assert [list(one) for one in spans] == [whole.encode(text, add_special_tokens=False).offsets for text in texts]


def test_a_tokenizer_that_joins_words_has_no_table(path: Path) -> None:
    """Only a tokenizer that ends a token at every space is replaced by a table."""
    unigram = Tokenizer(models.Unigram())
    unigram.pre_tokenizer = pre_tokenizers.Metaspace()
    assert find_words(unigram) is None
    cased = load_tokenizer(path)
    cased.normalizer = normalizers.NFC()
    assert find_words(cased) is None
    added = load_tokenizer(path)
    added.add_tokens([AddedToken("lost card")])
    assert find_words(added) is None
    bare = load_tokenizer(path)
    bare.post_processor = None
    assert find_words(bare) is None


def test_a_tokenizer_without_a_table_gives_ids_and_spans(path: Path) -> None:
    """The ids and spans of a tokenizer without a table are its own."""
    cut, whole = load_tokenizer(path, max_length=_LENGTH), load_tokenizer(path)
    (found,) = InputTokenizer(cut, max_length=_LENGTH, words=None).ids(["the lost card " * 20])
    assert found.dtype == np.int32
    assert len(found) == _LENGTH
    whole.normalizer = normalizers.NFC()
    (spans,) = TextTokenizer(whole, max_length=_LENGTH, prefixes=[""]).spans(["the lost card"])
    assert (len(spans), list(spans)) == (3, [(0, 3), (4, 8), (9, 13)])


def test_the_table_is_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that has grown beyond its size begins again, and its tokens stay right."""
    monkeypatch.setattr(word_table, "_SIZE", 200)
    words, whole = _table(path), load_tokenizer(path)
    for number in range(100):
        text = f"the {'ab' * number} card"
        assert words.counts([text]) == [len(whole.encode(text, add_special_tokens=False))]
        assert sum(len(word) + 16 for word in words._tokens) <= 200
