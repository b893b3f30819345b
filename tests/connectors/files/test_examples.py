"""Labelled examples from a JSONL file."""

from pathlib import Path

import pytest

from connectors.files.examples import read_examples
from core.errors import ConfigError
from core.records import Example


def _write(folder: Path, content: bytes) -> Path:
    path = folder / "examples.jsonl"
    path.write_bytes(content)
    return path


def test_an_example_may_lack_either_label(tmp_path: Path) -> None:
    """An example can have a category, a priority or both."""
    rows = '{"text":"Où est mon colis?","category":"delivery"}\n{"text":"help!","priority":"high"}\n'.encode()
    assert read_examples(_write(tmp_path, rows)) == [
        Example("Où est mon colis?", "delivery"),
        Example("help!", None, "high"),
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"category":"x"}', "object missing required field `text`"),
        (b'{"text":" "}', "the text of an example is empty"),
        (b'{"text":"x","category":7}', "expected `str | null`"),
    ],
)
def test_a_malformed_example_is_named(tmp_path: Path, line: bytes, words: str) -> None:
    """The error gives the file, the line and the mistake in one line."""
    path = _write(tmp_path, b"\n" + line + b"\n")
    with pytest.raises(ConfigError) as caught:
        read_examples(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert words in str(caught.value)


def test_a_missing_file_names_the_setting() -> None:
    """The error names the variable and the path."""
    with pytest.raises(ConfigError, match=r"^TICKETS_CLASSIFY__EXAMPLES_FILE: can't read /no/such/file: no such file"):
        read_examples(Path("/no/such/file"))
