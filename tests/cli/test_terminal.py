"""What customers wrote is shown, whatever it would do to a terminal."""

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

from cli.terminal import harmless_json, one_line, open_console

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
def test_controls_and_markup_are_shown(wrapped: Callable[[str], RenderableType]) -> None:
    """Neither moves the cursor, colours, or ends in a traceback."""
    console = open_console(file=StringIO(), width=80)
    console.print(wrapped(_HOSTILE))
    assert _SHOWN[:20] in _printed(console), "a bar measures before, and cuts the rest"
    assert not {"\x1b", "\x9b", "\x7f"} & {*_printed(console)}


def test_keys_that_differ_look_different() -> None:
    """A character that Rich drops is shown, and a code of an emoji is a key's own; the columns stay aligned."""
    console = open_console(file=StringIO(), width=80)
    console.print(_in_a_table("a\rb"), _in_a_table("a:id:7\x1b\x1b"))
    assert "a␍b" in _printed(console)
    assert "a:id:7␛␛" in _printed(console)
    assert {len(line) for line in _printed(console).splitlines()} == {10, 12}


def test_nobody_writes_a_line_of_ours() -> None:
    """A line end within one is shown."""
    assert one_line("a/1\ndlq-reason: none\r") == "a/1␤dlq-reason: none␍"


def test_json_holds_no_character_that_a_terminal_obeys() -> None:
    """And reads back as what it was."""
    encoded = harmless_json(msgspec.json.encode({"key": _HOSTILE}).decode())
    assert all(character.isprintable() for character in encoded)
    assert msgspec.json.decode(encoded) == {"key": _HOSTILE}


def test_a_console_of_rich_obeys_them() -> None:
    """What ours differs in."""
    console = Console(file=StringIO(), width=80)
    console.print(Text(_HOSTILE))
    assert "\x1b[2J" in _printed(console)
    with pytest.raises(MarkupError):
        console.print(_in_a_table(_HOSTILE))


def test_our_own_colours_and_bars_stay() -> None:
    """On a terminal."""
    console = open_console(file=StringIO(), width=80, force_terminal=True, color_system="standard", _environ={})
    console.print("dim", style="dim")
    assert "\x1b[2mdim\x1b[0m\n" in _printed(console)
    with Progress(console=console) as bars:
        bars.add_task("reading the log", total=2, completed=1)
        bars.refresh()
        bars.refresh()
    assert "reading the log" in _printed(console)
    assert "\x1b[2K" in _printed(console), "the line is drawn anew"
    assert "␛" not in _printed(console)


def test_lines_stay_whole_where_nobody_watches() -> None:
    """As they are for `grep`."""
    console = open_console(file=StringIO(), width=20)
    console.print(Text.assemble(("reason", "bold"), ": ", "a word " * 20), soft_wrap=True)
    assert _printed(console).count("\n") == 1


def _printed(console: Console) -> str:
    file: Any = console.file
    return str(file.getvalue())
