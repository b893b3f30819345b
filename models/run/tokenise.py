"""A model's tokenizer, as its file describes it but for padding and truncation."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, overload

from tokenizers import Tokenizer


class Spans(Sequence[tuple[int, int]]):
    """Where an encoding's tokens begin and end, in characters. Python's tuples of them are made when one is read."""

    def __init__(self, encoding: Any) -> None:
        self._encoding = encoding

    def __len__(self) -> int:
        return len(self._encoding)

    @overload
    def __getitem__(self, at: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[int, int]]: ...
    def __getitem__(self, at: int | slice) -> Any:
        return self._spans[at]

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = self._encoding.offsets
        return found


class TextTokenizer:
    """Implements `core.protocols.ModelTokenizer`, without the model."""

    def __init__(self, path: Path, *, max_length: int, prefixes: Sequence[str]) -> None:
        """Load it.

        Args:
            path: the tokenizer's file.
            max_length: tokens the model reads, special ones and prefixes included.
            prefixes: what the model wants before a text, by kind; the longest of them counts.
        """
        self.whole = load_tokenizer(path)
        longest = max(len(spans) for spans in self.spans(prefixes))
        reserved: int = self.whole.num_special_tokens_to_add(is_pair=False) + longest
        self.max_tokens = max_length - reserved

    def spans(self, texts: Sequence[str]) -> Sequence[Sequence[tuple[int, int]]]:
        """See `core.protocols.Tokenizer`."""
        return [Spans(e) for e in self.whole.encode_batch(list(texts), add_special_tokens=False)]


def load_tokenizer(path: Path, *, max_length: int | None = None) -> Any:
    """The tokenizer, without padding, cutting at `max_length` tokens (special ones included) or nowhere."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if max_length is not None:
        tokenizer.enable_truncation(max_length)
    # "[SEP]" in a ticket is text, and not a command to the model.
    tokenizer.encode_special_tokens = True
    return tokenizer
