"""Cuts a mail to the text that its author wrote or forwarded, without history, headers and signatures.

Our own pass, and not mail-parser-reply: that takes seven seconds for a line of 12 kB that repeats one word, and knows
fewer programs and languages. This is one pass over the lines, each matched in bounded time.

Other people's text is cut only if something marks it: an attribution, a header block, a separator, or a program's own
mark. A line that begins with `>` alone isn't a mark, because logs and shells have such lines too.
"""

import re
from collections.abc import Sequence
from typing import Final

from operators.mail.lines import (
    MAX_LINE,
    header_block,
    header_of,
    is_attribution,
    is_banner,
    is_forward_marker,
    is_original_marker,
    is_reply_above,
    is_ruler,
    is_sent_from,
    may_begin_attribution,
)

#: Stands for a quotation that HTML marks as history. A private-use character, which `clean_text` removes from input.
QUOTED: Final = "\ue000"
#: RFC 3676, section 4.3: two hyphens and a space.
_SIGNATURE: Final = "-- "
_BARE_SIGNATURES: Final = frozenset({"--", "—", "––"})
#: Lines of a signature behind a separator that lacks the space.
_MAX_SIGNATURE: Final = 8
#: Maximum lines of a wrapped attribution.
_MAX_WRAP: Final = 3
#: Maximum length of the unmarked rest of a quoted line that a program wrapped.
_MAX_REST: Final = 40
_MIN_WRAPPED: Final = 60
#: An item of a list, which no signature has.
_IS_ITEM: Final = re.compile(r"\s*(?:[0-9]{1,2}[.)]|[-*\u2022])\s")
#: Characters that end a sentence.
_STOPS: Final = (".", "?", "!", "。", "？", "！")
#: Maximum passes: a cut may join lines that need another cut.
_MAX_PASSES: Final = 4


def cut_mail(text: str, *, forwarded: bool = False) -> str:
    """`text` without history, signatures and separators; all of it if nothing would be left.

    Args:
        text: plain text; line breaks are line feeds.
        forwarded: the subject marks a forward, so the first header block begins the forwarded text and not history.
    """
    for _ in range(_MAX_PASSES):
        found = "\n".join(_Cutter(text.split("\n"), forwarded=forwarded).own()).strip()
        if not found:
            return text.replace(QUOTED, "")
        if found == text.strip():
            break
        text = found
    return text.replace(QUOTED, "")


class _Cutter:
    """One pass over the lines of a mail."""

    def __init__(self, lines: Sequence[str], *, forwarded: bool) -> None:
        self._lines = lines
        self._forwarded = forwarded
        self._at = 0
        self._out: list[str] = []
        self._has_text = False
        #: An attribution was followed by quoted lines, so further quoted lines are history as well.
        self._quoted = False
        self._bare_signatures = sum(line.strip() in _BARE_SIGNATURES for line in lines)

    def own(self) -> list[str]:
        """The lines that the author wrote or forwarded."""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not line or (len(line) > MAX_LINE and not line.startswith(QUOTED)):
                self._keep(line)
            elif self._ends_here(line):
                break
            elif not self._skip(line):
                self._keep(line)
        while self._out and is_ruler(self._out[-1]):
            self._out.pop()
        return self._out

    def _keep(self, line: str) -> None:
        self._out.append(line)
        self._at += 1
        self._has_text = self._has_text or not is_ruler(line)

    def _ends_here(self, line: str) -> bool:
        """Whether the rest is history below the author's own text."""
        if not self._has_text or self._forwarded:
            return False
        if is_reply_above(line) or is_original_marker(line) or header_block(self._lines, self._at):
            return True
        wrapped = self._attribution()
        return bool(wrapped) and not self._is_quoted(self._next_text(self._at + wrapped))

    def _skip(self, line: str) -> bool:
        """Skip lines that are not the author's, from this one on; False if this line is."""
        lines, at = self._lines, self._at
        if is_forward_marker(line) or is_original_marker(line) or is_reply_above(line):
            self._at += 1
            self._forwarded = False
            self._skip_headers()
        elif block := header_block(lines, at):
            self._at += block
            self._forwarded = False
        elif wrapped := self._attribution():
            self._at += wrapped
            self._skip_quoted()
        elif line.startswith(QUOTED) or (self._quoted and line.startswith(">")):
            self._skip_quoted()
        elif is_sent_from(line) or (is_banner(line) and not self._has_text):
            self._at += 1
        elif self._is_signature(line):
            self._skip_signature()
        else:
            return False
        return True

    def _attribution(self) -> int:
        """Number of lines of the attribution that begins here, 0 if none does."""
        first, following = self._lines[self._at], self._lines[self._at + 1 : self._at + _MAX_WRAP]
        if is_attribution(first):
            return 1
        if not any(line.endswith((":", "：")) for line in following) or not may_begin_attribution(first):
            return 0
        joined = first
        for wrapped in range(2, _MAX_WRAP + 1):
            at = self._at + wrapped - 1
            if at >= len(self._lines) or not self._lines[at].strip() or len(joined) > MAX_LINE:
                return 0
            joined = f"{joined} {self._lines[at]}"
            if is_attribution(joined):
                return wrapped
        return 0

    def _skip_headers(self) -> None:
        """Headers below a marker, in any number; blank lines before them and one after."""
        at, seen = self._at, False
        while at < len(self._lines):
            line = self._lines[at]
            if header_of(line) is not None:
                seen = True
            elif (line.strip() and not (seen and self._wraps_recipients(line))) or (not line.strip() and seen):
                break
            at += 1
        if seen:
            self._at = at

    @staticmethod
    def _wraps_recipients(line: str) -> bool:
        return len(line) <= MAX_LINE and "@" in line and line.rstrip().endswith((";", ",", ">"))

    def _skip_quoted(self) -> None:
        """Quoted lines, blank lines between them, and the rests of lines that a program wrapped."""
        lines, began = self._lines, self._at
        at = began
        while at < len(lines):
            after = lines[at + 1] if at + 1 < len(lines) else ""
            if self._is_quoted(lines[at]):
                self._quoted = True
            elif lines[at].strip():
                if at == began or not _is_rest(lines[at - 1], lines[at], after):
                    break
            elif not self._is_quoted(self._next_text(at)):
                break
            at += 1
        self._at = at

    @staticmethod
    def _is_quoted(line: str) -> bool:
        return line.startswith((">", QUOTED))

    def _next_text(self, at: int) -> str:
        """The next line that isn't blank, looked for among a few."""
        return next((line for line in self._lines[at : at + _MAX_WRAP + 1] if line.strip()), "")

    def _is_signature(self, line: str) -> bool:
        if line == _SIGNATURE:
            return True
        if line.strip() not in _BARE_SIGNATURES or self._bare_signatures > 1 or not self._has_text:
            return False
        rest = [text for text in self._lines[self._at + 1 : self._at + _MAX_SIGNATURE + 2] if text.strip()]
        short = len(rest) <= _MAX_SIGNATURE and all(len(text) <= _MAX_REST * 2 for text in rest)
        prose = any(text.rstrip().endswith((*_STOPS, ":")) or _IS_ITEM.match(text) for text in rest)
        return short and not prose and not (rest and rest[0].lstrip()[:1].islower())

    def _skip_signature(self) -> None:
        """Skip to the head of another mail, or to the end."""
        self._at += 1
        while self._at < len(self._lines):
            line = self._lines[self._at]
            marks = is_forward_marker(line) or is_original_marker(line) or is_reply_above(line)
            if marks or header_block(self._lines, self._at) or self._attribution():
                return
            self._at += 1


def _is_rest(before: str, line: str, after: str) -> bool:
    """Whether `line` is the end of the quoted line before it, which a program wrapped and left unmarked."""
    if not (before.startswith(">") and after.startswith(">") and len(before) >= _MIN_WRAPPED):
        return False
    return len(line) <= _MAX_REST and not line.endswith(_STOPS)
