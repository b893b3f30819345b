"""Labelled examples for classification, from a JSONL file instead of a labelling tool."""

from pathlib import Path
from typing import Final

import msgspec

from connectors.files.lines import json_rows
from core.errors import ConfigError
from core.records import Example

_DECODER: Final = msgspec.json.Decoder(Example)


def read_examples(path: Path) -> list[Example]:
    """Read {text, category?, priority?} per line.

    Raises:
        ConfigError: the file can't be read, or a line is malformed; the message gives the file and line.
    """
    found = []
    for number, example in json_rows(path, _DECODER, setting="TICKETS_CLASSIFY__EXAMPLES_FILE"):
        if not example.text.strip():
            raise ConfigError(f"{path}:{number}: the text of an example is empty")
        found.append(example)
    return found
