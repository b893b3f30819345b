"""A table of words' tokens: a stream repeats its words, so that most are looked up and few are tokenised."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

#: Size of the table: characters of its words, and of each word the overhead of an entry (some 200 bytes).
_SIZE: Final = 1_000_000
_ENTRY: Final = 16
#: Special tokens of a text: one before it, and one after it.
_SPECIAL: Final = 2
_BYTES: Final = np.dtype(np.int32).itemsize


class WordTable:
    """The tokens of texts, by a look-up for each word. Thread-safe, and bounded: texts are anybody's.

    The words end at spaces and line feeds only, which end a token whatever is around them. Other white space, and
    characters that the tokenizer deletes, are left to it.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Begin empty. `tokenizer` must tokenise word by word, see `find_words`."""
        self._tokenizer = tokenizer
        self._tokens: dict[str, bytes] = {}
        self._size = 0

    def tokens(self, texts: Sequence[str]) -> list[bytes]:
        """The ids of each text, int32, without special tokens and never truncated."""
        words = [text.replace("\n", " ").split(" ") for text in texts]
        table = self._with(set().union(*words))
        found = [b"".join(map(table.__getitem__, some)) for some in words]
        if self._size > _SIZE:
            self._tokens, self._size = {}, 0
        return found

    def counts(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, without special ones."""
        return [len(found) // _BYTES for found in self.tokens(texts)]

    def _with(self, words: Iterable[str]) -> dict[str, bytes]:
        """The table, after it has got these words. Another thread may replace it meanwhile by an empty one."""
        table = self._tokens
        missing = [word for word in words if word not in table]
        if missing:
            encodings = self._tokenizer.encode_batch_fast(missing, add_special_tokens=False)
            table.update((word, _packed(found.ids)) for word, found in zip(missing, encodings, strict=True))
            self._size += sum(map(len, missing)) + _ENTRY * len(missing)
        return table


def find_words(tokenizer: Tokenizer) -> WordTable | None:
    """A table for `tokenizer`, which truncates nothing; None unless it is one of BERT's, which go word by word."""
    word_by_word = (
        isinstance(tokenizer.normalizer, normalizers.BertNormalizer)
        and isinstance(tokenizer.pre_tokenizer, pre_tokenizers.BertPreTokenizer)
        and isinstance(tokenizer.model, models.WordPiece)
        and not any(map(_has_space, tokenizer.get_added_tokens_decoder().values()))
        and len(tokenizer.encode("").ids) == _SPECIAL
    )
    return WordTable(tokenizer) if word_by_word else None


def _has_space(token: AddedToken) -> bool:
    return " " in token.content or "\n" in token.content


def _packed(ids: Sequence[int]) -> bytes:
    return np.array(ids, np.int32).tobytes()
