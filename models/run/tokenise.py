"""A model's tokenizer, read from its file; the file's own padding and truncation are switched off."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import overload

import numpy as np
from tokenizers import Tokenizer

from models.run.session import Ids
from models.run.word_table import WordTable, find_words

Span = tuple[int, int]


class Spans(Sequence[Span]):
    """Begin and end of a text's tokens, in characters. The list is made on first access: `len` is cheap."""

    def __init__(self, count: int, offsets: Callable[[], list[Span]]) -> None:
        self._count = count
        self._offsets = offsets

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Span: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Span]: ...
    def __getitem__(self, at: int | slice) -> Span | Sequence[Span]:
        return self._spans[at]

    @cached_property
    def _spans(self) -> list[Span]:
        return self._offsets()


class TextTokenizer:
    """Implements `core.protocols.ModelTokenizer`, without the model."""

    def __init__(
        self, tokenizer: Tokenizer, *, max_length: int, prefixes: Sequence[str], words: WordTable | None = None
    ) -> None:
        """Wrap a tokenizer.

        Args:
            tokenizer: one that truncates nothing.
            max_length: tokens that the model reads, special tokens and prefixes included.
            prefixes: texts that the model expects before a passage or a query; the longest is reserved.
            words: the tokenizer's table; None: one of its own, if it can have one.
        """
        self._tokenizer = tokenizer
        self._words = words or find_words(tokenizer)
        longest = max(len(spans) for spans in self.spans(prefixes))
        self.max_tokens = max_length - tokenizer.num_special_tokens_to_add(is_pair=False) - longest

    def spans(self, texts: Sequence[str]) -> Sequence[Sequence[Span]]:
        """See `core.protocols.Tokenizer`."""
        if self._words is not None:
            counts = self._words.counts(texts)
            return [Spans(count, partial(self._offsets, text)) for text, count in zip(texts, counts, strict=True)]
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [Spans(len(encoding), partial(getattr, encoding, "offsets")) for encoding in encodings]

    def _offsets(self, text: str) -> list[Span]:
        return self._tokenizer.encode(text, add_special_tokens=False).offsets


class InputTokenizer:
    """Makes the model's input of a text: ids with the special tokens around them, cut at the maximum length."""

    def __init__(self, tokenizer: Tokenizer, *, max_length: int, words: WordTable | None) -> None:
        """Wrap a tokenizer that truncates at `max_length` tokens; `words` is its table, if it has one."""
        self._tokenizer = tokenizer
        self._words = words
        if words is not None:
            self._begin, self._end = (np.array([one], np.int32).tobytes() for one in tokenizer.encode("").ids)
            self._bytes = max_length * np.dtype(np.int32).itemsize - len(self._begin) - len(self._end)

    def ids(self, texts: Sequence[str]) -> list[Ids]:
        """The ids of each text, int32."""
        if self._words is None:
            return [np.array(found.ids, np.int32) for found in self._tokenizer.encode_batch_fast(list(texts))]
        begin, end, most = self._begin, self._end, self._bytes
        return [
            np.frombuffer(b"%b%b%b" % (begin, tokens[:most], end), np.int32) for tokens in self._words.tokens(texts)
        ]


def load_tokenizer(path: Path, *, max_length: int | None = None) -> Tokenizer:
    """The tokenizer in `path`, without padding. It truncates only at `max_length` tokens, special ones included."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if max_length is not None:
        tokenizer.enable_truncation(max_length)
    tokenizer.encode_special_tokens = True  # "[SEP]" in a ticket is text, not a command to the model
    return tokenizer
