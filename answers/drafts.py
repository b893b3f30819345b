"""Parses a model's output as it arrives: one JSON object per line, a draft or a refusal. Anything else is garbage."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from answers.writer import Declined, Draft
from core.language_model import ModelError

#: Maximum characters of a line and of the output; maximum drafts, and maximum malformed lines.
MAX_LINE: Final = 4_000
MAX_OUTPUT: Final = 24_000
MAX_DRAFTS: Final = 12
MAX_GARBAGE: Final = 6


class _Line(Struct):
    text: str = ""
    sources: list[int] = []
    refuse: bool = False


class DraftReader:
    """Reads one output. It holds at most one unfinished line."""

    def __init__(self) -> None:
        self._line = ""
        self._read = 0
        self._drafts = 0
        self._garbage = 0

    @property
    def drafts(self) -> int:
        """Number of drafts that were read."""
        return self._drafts

    def feed(self, text: str) -> Iterator[Draft | Declined]:
        """The drafts that the next piece completes.

        Raises:
            ModelError: the output is too long or malformed.
        """
        self._read += len(text)
        if self._read > MAX_OUTPUT:
            raise ModelError("the model doesn't stop writing", kind="too_long")
        *whole, self._line = (self._line + text).split("\n")
        for line in whole:
            yield from self._parse(line)
        if len(self._line) > MAX_LINE:
            raise ModelError("the model wrote an endless line", kind="too_long")

    def end(self) -> Iterator[Draft | Declined]:
        """The draft of the last line, which may lack its line feed.

        Raises:
            ModelError: as `feed`.
        """
        line, self._line = self._line, ""
        yield from self._parse(line)

    def _parse(self, line: str) -> Iterator[Draft | Declined]:
        line = line.strip().rstrip(",")
        if not line or line.startswith("```") or line in ("[", "]"):
            return
        try:
            found = msgspec.json.decode(line, type=_Line)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            found = _Line()
        if found.refuse and not found.text:
            yield Declined()
        elif found.text.strip() and len(line) <= MAX_LINE:
            self._drafts += 1
            if self._drafts > MAX_DRAFTS:
                raise ModelError(f"the model wrote more than {MAX_DRAFTS} sentences", kind="too_long")
            yield Draft(found.text, tuple(found.sources))
        else:
            self._garbage += 1
            if self._garbage > MAX_GARBAGE:
                raise ModelError("the model doesn't write JSON lines as requested", kind="protocol")
