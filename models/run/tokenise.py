"""A model's tokenizer, read from its file; the file's own padding and truncation are switched off."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import overload

from tokenizers import Encoding, Tokenizer


class Spans(Sequence[tuple[int, int]]):
    """Where an encoding's tokens begin and end, in characters. The list is made on first access: `len` is cheap."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding

    def __len__(self) -> int:
        return len(self._encoding)

    @overload
    def __getitem__(self, at: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[int, int]]: ...
    def __getitem__(self, at: int | slice) -> tuple[int, int] | Sequence[tuple[int, int]]:
        return self._spans[at]

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        return self._encoding.offsets


class TextTokenizer:
    """Implements `core.protocols.ModelTokenizer`, without the model."""

    def __init__(self, tokenizer: Tokenizer, *, max_length: int, prefixes: Sequence[str]) -> None:
        """Wrap a tokenizer.

        Args:
            tokenizer: one that truncates nothing.
            max_length: tokens that the model reads, special tokens and prefixes included.
            prefixes: texts that the model expects before a passage or a query; the longest is reserved.
        """
        self._tokenizer = tokenizer
        longest = max(len(spans) for spans in self.spans(prefixes))
        self.max_tokens = max_length - tokenizer.num_special_tokens_to_add(is_pair=False) - longest

    def spans(self, texts: Sequence[str]) -> Sequence[Sequence[tuple[int, int]]]:
        """See `core.protocols.Tokenizer`."""
        return [Spans(encoding) for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def load_tokenizer(path: Path, *, max_length: int | None = None) -> Tokenizer:
    """The tokenizer in `path`, without padding. It truncates only at `max_length` tokens, special ones included."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if max_length is not None:
        tokenizer.enable_truncation(max_length)
    tokenizer.encode_special_tokens = True  # "[SEP]" in a ticket is text, not a command to the model
    return tokenizer
