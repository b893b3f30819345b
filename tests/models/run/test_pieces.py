"""The tokenizer without files covers every text, and never counts fewer tokens than Titan accepts."""

from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from models.run.pieces import PieceTokenizer
from operators.chunk import chunk
from tests.operators import samples

#: Titan's limit. A token is at least a byte.
_TITAN_TOKENS: Final = 8_192
_TOKENIZER: Final = PieceTokenizer()


@settings(max_examples=40)
@given(st.text(max_size=200))
def test_the_pieces_cover_a_text(text: str) -> None:
    """Pieces are in order, don't overlap, and leave out nothing but white space."""
    (spans,) = _TOKENIZER.spans([text])
    at = 0
    for start, end in spans:
        assert at <= start < end
        assert not text[at:start].strip()
        at = end
    assert not text[at:].strip()


@settings(max_examples=40)
@given(st.text(max_size=200))
def test_a_piece_is_short(text: str) -> None:
    """A piece has at most four characters, and at most 12 bytes, so that a passage has far fewer than 8,192."""
    (spans,) = _TOKENIZER.spans([text])
    assert all(len(text[start:end].encode("utf-8", "surrogatepass")) <= 12 for start, end in spans)
    assert all(end - start <= 4 for start, end in spans)
    assert 12 * _TOKENIZER.max_tokens < _TITAN_TOKENS


def test_an_english_passage_has_about_200_words() -> None:
    """Passages are as long as those of the default model, in English and in Chinese."""
    prose = "the invoice shows the wrong rate and the customer would like to know when it will be corrected " * 30
    for text, low, high in ((prose, 150, 250), ("发票显示的税率不正确。" * 90, 1, 1)):
        (done,) = chunk(
            [samples.enriched(body=text)],
            tokenizer=_TOKENIZER,
            max_tokens=_TOKENIZER.max_tokens,
            overlap_tokens=32,
            max_passages=100,
        )
        first = done.passages[0]  # type: ignore[union-attr]
        assert low <= len(first.embed_text.split()) <= high
        assert len(first.embed_text.encode()) < _TITAN_TOKENS / 2
