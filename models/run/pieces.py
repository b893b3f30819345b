"""A tokenizer without files, for a model whose own isn't published: it counts more tokens than the model's would."""

import re
from collections.abc import Sequence
from typing import Final

#: At most four characters of a word, or one character that isn't of a word, or is Chinese, Japanese or Korean, or an
#: emoji. Tokenizers of subwords make fewer tokens of English: 1.3 a word, where this one makes 1.6 and more.
_PIECE: Final = re.compile(r"[\u2e80-\U0010ffff]|[^\W\u2e80-\U0010ffff]{1,4}|[^\w\s]")


class PieceTokenizer:
    """Implements `core.protocols.ModelTokenizer`.

    Attributes:
        max_tokens: about 200 English words, which is as long as the default model's passages are.
    """

    max_tokens = 320

    def spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """See `core.protocols.Tokenizer`."""
        return [[piece.span() for piece in _PIECE.finditer(text)] for text in texts]
