"""Removes markup, quoted history, signatures and invisible characters from texts."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import msgspec

from core.contract import AttributeValue, Message, UpsertEvent
from core.records import Rejected, Ticket
from operators.html_text import decode_entities, html_to_text, markup_of
from operators.invisible import remove_invisible
from operators.mail.cut import QUOTED, cut_mail
from operators.mail.lines import may_hold_history, says_forwarded

#: Controls other than tab and line breaks.
_CONTROLS: Final = dict.fromkeys([*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F])
_SPACES: Final = re.compile(r"[^\S\n]+")
_BLANK_LINES: Final = re.compile(r"\n{3,}")


def clean(items: Sequence[Ticket]) -> list[Ticket | Rejected]:
    """Clean the subject, body and messages of each ticket, and remove invisible characters from its other fields."""
    return [
        item if item.content is None else msgspec.structs.replace(item, content=_content(item.content))
        for item in items
    ]


def clean_text(text: str, *, forwarded: bool = False) -> str:
    """The text that its author wrote or forwarded: plain, visible, in NFC, without repeated blank lines.

    Args:
        text: plain text or HTML, as a mail program sent it.
        forwarded: the subject marks a forward, whose first header block doesn't begin history.
    """
    text = text.replace(QUOTED, "") if QUOTED in text else text
    kind = markup_of(text)
    text = decode_entities(text) if kind == "none" else html_to_text(text, kind)
    if not text.isascii():
        text = remove_invisible(unicodedata.normalize("NFC", text))
    if not _is_tidy(text):
        text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)
        text = "\n".join(map(_tidy, _SPACES.sub(" ", text).split("\n")))
    if may_hold_history(text):
        text = cut_mail(text, forwarded=forwarded)
    return _BLANK_LINES.sub("\n\n", text).strip() if "\n" in text else text.strip()


def _is_tidy(text: str) -> bool:
    """Whether the text is tidy: no controls, and no white space except single spaces and line feeds."""
    if "  " in text or " \n" in text or "\n " in text:
        return False
    return text.isprintable() or text.replace("\n", "").isprintable()


def _tidy(line: str) -> str:
    """The line without white space at its ends, except a line that begins a signature (RFC 3676)."""
    return line if line == "-- " else line.strip()


def _content(content: UpsertEvent) -> UpsertEvent:
    forwarded = says_forwarded(content.subject)
    return msgspec.structs.replace(
        content,
        subject=" ".join(clean_text(content.subject).split()),
        body=clean_text(content.body, forwarded=forwarded),
        messages=tuple(_message(message) for message in content.messages),
        channel=_visible(content.channel) or "other",
        status=_visible(content.status) or "open",
        priority=_visible(content.priority or "") or None,
        category=_visible(content.category or "") or None,
        customer_id=_visible(content.customer_id or "") or None,
        tags=tuple(tag for tag in map(_visible, content.tags) if tag),
        attributes={_visible(name): _visible_value(value) for name, value in content.attributes.items()},
    )


def _message(message: Message) -> Message:
    return msgspec.structs.replace(message, body=clean_text(message.body))


def _visible(text: str) -> str:
    """`text` without invisible characters; text in ASCII, such as most logs, has none."""
    return text if text.isascii() else remove_invisible(text)


def _visible_value(value: AttributeValue) -> AttributeValue:
    return _visible(value) if isinstance(value, str) else value
