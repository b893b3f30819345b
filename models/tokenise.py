"""A model's tokenizer, as its file describes it but for padding and truncation."""

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer


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
