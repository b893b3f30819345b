"""What customers wrote is shown, whatever it would do to a terminal."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from rich.console import Console, RenderableType
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from cli.terminal import open_console

_HOSTILE = "a\x1b[2Jb\x9b2Kc\x7f [/] [red]d[/red]"
_SHOWN = "a␛[2Jb�2Kc␡ [/] [red]d[/red]"


def _in_a_table(text: RenderableType) -> Table:
    table = Table("ticket")
    table.add_row(text)
    return table


@pytest.mark.parametrize("wrapped", [str, Text, _in_a_table], ids=["a line", "a text", "a table"])
def test_controls_and_markup_are_shown(wrapped: Callable[[str], RenderableType]) -> None:
    """Neither moves the cursor, colours, or ends in a traceback."""
    console = open_console(file=StringIO(), width=80)
    console.print(wrapped(_HOSTILE))
    assert _SHOWN in _printed(console)
    assert not {"\x1b", "\x9b", "\x7f"} & {*_printed(console)}


def test_a_console_of_rich_obeys_them() -> None:
    """What ours differs in; a table with such a ticket would end in a traceback."""
    console = Console(file=StringIO(), width=80)
    console.print(Text(_HOSTILE))
    assert "\x1b[2J" in _printed(console)


def test_our_own_colours_and_bars_stay() -> None:
    """On a terminal."""
    console = open_console(file=StringIO(), width=80, force_terminal=True, color_system="standard", _environ={})
    console.print("dim", style="dim")
    assert "\x1b[2mdim\x1b[0m\n" in _printed(console)
    with Progress(console=console) as bars:
        bars.add_task("reading the log", total=2, completed=1)
    assert "reading the log" in _printed(console)
    assert "\x1b[?25l" in _printed(console), "the cursor is hidden meanwhile"


def test_lines_stay_whole_where_nobody_watches() -> None:
    """As they are for `grep`."""
    console = open_console(file=StringIO(), width=20)
    console.print(Text.assemble(("reason", "bold"), ": ", "a word " * 20), soft_wrap=True)
    assert _printed(console).count("\n") == 1


def _printed(console: Console) -> str:
    file: Any = console.file
    return str(file.getvalue())
