"""Consoles that show what customers wrote, and obey none of it."""

from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

#: A terminal obeys control characters (CWE-150). C0 and DEL become Unicode's pictures of them, C1 the replacement
#: character; line ends and tabs stay.
_SHOWN: Final = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}
_LINE_END: Final = {ord("\n"): "\N{SYMBOL FOR NEWLINE}"}
#: JSON may hold them as they are, and its encoder leaves them so.
_ESCAPED: Final = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}


def open_console(**options: Any) -> Console:
    """A console on which printed text changes neither colour nor cursor: its markup and controls are shown."""
    return _Console(markup=False, emoji=False, **options)


def one_line(text: str) -> str:
    """`text` with its line ends shown, so that nobody can write what looks like a line of ours."""
    return text.translate(_LINE_END).translate(_SHOWN)


def harmless_json(encoded: str) -> str:
    """The same document, without a character that a terminal obeys."""
    return encoded.translate(_ESCAPED)


class _Console(Console):
    def render_str(self, text: str, **options: Any) -> Text:
        """Before Rich drops some of them unseen, and measures."""
        return super().render_str(text.translate(_SHOWN), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Whatever else comes by; segments that steer the terminal are Rich's own."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=segment.text.translate(_SHOWN))
