"""A console prints untrusted text literally, control characters included."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import msgspec
import pytest
from rich.console import Console, RenderableType
from rich.errors import MarkupError
from rich.progress import Progress, TextColumn
from rich.table import Table
from rich.text import Text

from cli.terminal import escape_json_controls, one_line, open_console

_HOSTILE = "a\x1b[2Jb\x9b2Kc\x7f [/] [red]d[/red]"
_SHOWN = "a␛[2Jb�2Kc␡ [/] [red]d[/red]"


def _in_a_table(text: RenderableType) -> Table:
    table = Table("ticket")
    table.add_row(text)
    return table


def _on_a_bar(text: RenderableType) -> Progress:
    bars = Progress(TextColumn("{task.description}", markup=False))
    bars.add_task(str(text), total=1)
    return bars


@pytest.mark.parametrize("wrapped", [str, Text, _in_a_table, _on_a_bar], ids=["line", "text", "table", "bar"])
def test_control_characters_and_markup_are_printed_literally(wrapped: Callable[[str], RenderableType]) -> None:
    """Control characters and markup don't move the cursor, set colours or end in a traceback."""
    console = open_console(file=StringIO(), width=80)
    console.print(wrapped(_HOSTILE))
    assert _SHOWN[:20] in _printed(console), "a bar cuts text that is too wide"
    assert not {"\x1b", "\x9b", "\x7f"} & {*_printed(console)}


def test_keys_that_differ_look_different() -> None:
    """Characters that Rich would drop and emoji codes are printed, and columns stay aligned."""
    console = open_console(file=StringIO(), width=80)
    console.print(_in_a_table("a\rb"), _in_a_table("a:id:7\x1b\x1b"))
    assert "a␍b" in _printed(console)
    assert "a:id:7␛␛" in _printed(console)
    assert {len(line) for line in _printed(console).splitlines()} == {10, 12}


def test_untrusted_text_cannot_add_a_line_to_the_output() -> None:
    """A line end within a value is escaped."""
    assert one_line("a/1\ndlq-reason: none\r") == "a/1␤dlq-reason: none␍"


def test_json_escapes_control_characters() -> None:
    """The document decodes to the same value."""
    encoded = escape_json_controls(msgspec.json.encode({"key": _HOSTILE}).decode())
    assert all(character.isprintable() for character in encoded)
    assert msgspec.json.decode(encoded) == {"key": _HOSTILE}


def test_rich_s_own_console_interprets_control_characters_and_markup() -> None:
    """Rich's own console interprets them, so commands use a subclass."""
    console = Console(file=StringIO(), width=80)
    console.print(Text(_HOSTILE))
    assert "\x1b[2J" in _printed(console)
    with pytest.raises(MarkupError):
        console.print(_in_a_table(_HOSTILE))


def test_styles_and_progress_bars_of_our_own_still_work() -> None:
    """Rich's control segments are not escaped."""
    console = open_console(file=StringIO(), width=80, force_terminal=True, color_system="standard", _environ={})
    console.print("dim", style="dim")
    assert "\x1b[2mdim\x1b[0m\n" in _printed(console)
    with Progress(console=console) as bars:
        bars.add_task("reading the log", total=2, completed=1)
        bars.refresh()
        bars.refresh()
    assert "reading the log" in _printed(console)
    assert "\x1b[2K" in _printed(console), "the bar is redrawn in place"
    assert "␛" not in _printed(console)


def test_soft_wrapped_lines_are_not_broken() -> None:
    """`grep` finds a long line whole."""
    console = open_console(file=StringIO(), width=20)
    console.print(Text.assemble(("reason", "bold"), ": ", "a word " * 20), soft_wrap=True)
    assert _printed(console).count("\n") == 1


def _printed(console: Console) -> str:
    file: Any = console.file
    return str(file.getvalue())
