"""Consoles that show what customers wrote, and obey none of it."""

from collections.abc import Iterator
from typing import Any, Final

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.measure import Measurement
from rich.segment import Segment

#: A terminal obeys control characters (CWE-150). C0 and DEL become Unicode's pictures of them, C1 the replacement
#: character; line ends and tabs stay.
_SHOWN: Final = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}


def open_console(**options: Any) -> Console:
    """A console of which printed text changes neither colour nor cursor: its markup and controls are shown."""
    console = Console(markup=False, **options)
    console.push_render_hook(_Disarming())
    return console


class _Disarming(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Disarmed(renderable) for renderable in renderables]


class _Disarmed:
    """What `inner` renders to, but for the control characters in its text; those that are Rich's own stay."""

    def __init__(self, inner: ConsoleRenderable) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self._segments(console, options)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._inner)

    def _segments(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self._inner, options):
            yield segment if segment.control else Segment(segment.text.translate(_SHOWN), segment.style)
