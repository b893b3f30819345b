"""Text as its author meant it: no markup, no quoted history, no signature, no invisible characters."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import msgspec

from core.contract import Message, UpsertEvent
from core.records import Rejected, Ticket
from operators.html_text import html_to_text, is_html
from operators.quotes import cut_quotes

#: Characters nobody sees: controls but line feed and tab, soft hyphen, zero-width space, word joiner, byte order mark,
#: and the marks that turn the writing direction.
_INVISIBLE: Final = {
    **dict.fromkeys([*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)]),
    **dict.fromkeys([0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]),
}
#: Zero-width joiners belong in emoji and some scripts, and hide digits anywhere else.
_JOINERS: Final = re.compile("(?<=[!-~])[\u200c\u200d]+(?=[!-~])")
_SPACES: Final = re.compile(r"[^\S\n]+")
#: Something to tidy: controls, and white space other than single spaces and line feeds.
_UNTIDY: Final = re.compile(r"[^\S\n ]|[\x00-\x08\x0e-\x1f\x7f]|  | \n|\n ")
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_CUTTABLE: Final = re.compile(
    r"^(?:>|--|\W{0,3}[^\n]{0,300}:\s*$)|^.{0,3}(?:sent|von|envo|envi|invi|verz)", re.IGNORECASE | re.MULTILINE
)


def clean(items: Sequence[Ticket]) -> list[Ticket | Rejected]:
    """Clean subject, body and messages of each ticket."""
    return [
        item if item.content is None else msgspec.structs.replace(item, content=_content(item.content))
        for item in items
    ]


def clean_text(text: str) -> str:
    """Plain, visible, NFC; blank lines at most one at a time."""
    if is_html(text):
        text = html_to_text(text)
    if not text.isascii():
        text = _JOINERS.sub("", unicodedata.normalize("NFC", text)).translate(_INVISIBLE)
    if _UNTIDY.search(text):
        text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_INVISIBLE)
        text = "\n".join(line.strip() for line in _SPACES.sub(" ", text).split("\n"))
    if "\n" in text and _CUTTABLE.search(text):
        text = cut_quotes(text)
    return _BLANK_LINES.sub("\n\n", text).strip() if "\n" in text else text.strip()


def _content(content: UpsertEvent) -> UpsertEvent:
    return msgspec.structs.replace(
        content,
        subject=" ".join(clean_text(content.subject).split()),
        body=clean_text(content.body),
        messages=tuple(_message(message) for message in content.messages),
    )


def _message(message: Message) -> Message:
    return msgspec.structs.replace(message, body=clean_text(message.body))
