"""Consoles that escape control characters and markup in untrusted text."""

from collections.abc import Iterable, Mapping
from typing import IO, Final, Literal, TypedDict, Unpack

from rich.console import Console, ConsoleOptions, HighlighterType, JustifyMethod, OverflowMethod, RenderableType
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

#: A terminal obeys control characters (CWE-150). C0 and DEL become Unicode control pictures and C1 becomes U+FFFD;
#: line ends and tabs are kept.
_PICTURES: Final = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}
_LINE_END: Final = {ord("\n"): "\N{SYMBOL FOR NEWLINE}"}
#: JSON permits DEL and C1 in strings, and the encoder doesn't escape them.
_JSON_ESCAPES: Final = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}


class Options(TypedDict, total=False):
    """Options of `rich.console.Console`."""

    file: IO[str]
    stderr: bool
    width: int
    force_terminal: bool
    color_system: Literal["auto", "standard", "256", "truecolor", "windows"]
    _environ: Mapping[str, str]


class _TextOptions(TypedDict, total=False):
    style: str | Style
    justify: JustifyMethod | None
    overflow: OverflowMethod | None
    emoji: bool | None
    markup: bool | None
    highlight: bool | None
    highlighter: HighlighterType | None


def open_console(**options: Unpack[Options]) -> Console:
    """A console that prints markup and control characters literally: text changes neither colour nor cursor."""
    return _Console(markup=False, emoji=False, **options)


def one_line(text: str) -> str:
    """`text` with line breaks and control characters escaped, so that it can't imitate a line of our output."""
    return text.translate(_LINE_END).translate(_PICTURES)


def escape_json_controls(encoded: str) -> str:
    """The same JSON document with DEL and C1 escaped; the encoder has escaped the other control characters."""
    return encoded.translate(_JSON_ESCAPES)


class _Console(Console):
    def render_str(self, text: str, **options: Unpack[_TextOptions]) -> Text:
        """Escape before Rich drops some control characters and measures the text."""
        return super().render_str(text.translate(_PICTURES), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Escape all other text. Control segments are Rich's own and pass unchanged."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=segment.text.translate(_PICTURES))
